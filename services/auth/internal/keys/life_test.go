package keys

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// world is the table over time: every version of it, so that one can ask what a replica or a verifier with an old copy sees.
type world struct {
	schedule
	start    time.Time
	versions []version
}

type version struct {
	at    time.Time
	lives []Life
}

func (w *world) asOf(at time.Time) []Life {
	i, found := slices.BinarySearchFunc(w.versions, at, func(v version, at time.Time) int { return v.at.Compare(at) })
	if !found {
		i--
	}
	return w.versions[i].lives
}

// rotate does what one replica's rotation does to the table.
func (w *world) rotate(now time.Time) { w.change(now, w.successor) }

// hasten does what an administrator's rotation does to it.
func (w *world) hasten(now time.Time) { w.change(now, w.advance) }

type next func(lives []Life, algorithm jose.SignatureAlgorithm, now time.Time) (activatesAt time.Time, retires *Life, due bool)

func (w *world) change(now time.Time, next next) {
	var lives []Life
	if len(w.versions) > 0 {
		lives = slices.Clone(w.versions[len(w.versions)-1].lives)
	}
	lives = slices.DeleteFunc(lives, func(l Life) bool { return !l.published(now) })
	if at, retired, due := next(lives, jose.ES256, now); due {
		if retired != nil {
			removes := w.removesAt(at)
			for i := range lives {
				if lives[i].ID == retired.ID {
					lives[i].RetiresAt, lives[i].RemovesAt = &at, &removes
				}
			}
		}
		lives = append(lives, Life{ID: strconv.Itoa(len(w.versions)), Algorithm: jose.ES256, CreatedAt: now, ActivatesAt: at})
	}
	w.versions = append(w.versions, version{now, lives})
}

func ids(lives []Life, at time.Time) []string {
	var out []string
	for _, l := range lives {
		if l.published(at) {
			out = append(out, l.ID)
		}
	}
	return out
}

// Whenever a token is signed, by a replica that has read the table a while ago, and whenever within its life it is verified, by somebody
// whose copy of the key set is as old as the cache lifetime: the key is in the copy. Rotation may be late by any time, or somebody's wish at any time.
func TestLife_a_token_always_verifies(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const reloadLag = time.Minute
		duration := func(least, most time.Duration, name string) time.Duration {
			return time.Duration(rapid.Int64Range(int64(least), int64(most)).Draw(t, name))
		}
		publishBefore := duration(leastPublishBefore, 3*time.Hour, "publish before")
		s := schedule{
			rotation:      duration(2*publishBefore, 30*publishBefore, "rotation"),
			publishBefore: publishBefore,
			tokenLifetime: duration(time.Minute, 2*time.Hour, "token lifetime"),
		}
		w := &world{schedule: s, start: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
		now := w.start
		for range rapid.IntRange(2, 60).Draw(t, "rotations") {
			w.rotate(now)
			if rapid.Bool().Draw(t, "somebody rotates") {
				now = now.Add(duration(time.Second, s.rotation, "until somebody does"))
				w.hasten(now)
			}
			now = now.Add(duration(time.Second, s.rotation, "until the next rotation"))
		}
		end := now

		for range 20 {
			signedAt := w.start.Add(duration(0, end.Sub(w.start), "signed at"))
			seen := signedAt.Add(-duration(0, min(reloadLag, signedAt.Sub(w.start)), "replica's lag"))
			key, ok := signer(w.asOf(seen), jose.ES256, signedAt)
			require.True(t, ok, "there is always a key that signs")

			verifiedAt := signedAt.Add(duration(0, s.tokenLifetime, "verified after"))
			served := verifiedAt.Add(-duration(0, CacheLifetime, "age of the copy"))
			// A copy is served by a replica that has read the table a while ago, too. There is none from before the first key.
			read := served.Add(-duration(0, reloadLag, "server's lag"))
			if read.Before(w.start) {
				read = w.start
			}
			if served.Before(w.start) {
				served = w.start
			}
			require.Contains(t, ids(w.asOf(read), served), key.ID,
				"signed %s, verified %s with a copy of %s", signedAt.Sub(w.start), verifiedAt.Sub(w.start), served.Sub(w.start))
		}
	})
}

func TestLife_keys_do_not_pile_up(t *testing.T) {
	t.Parallel()
	w := &world{schedule: schedule{rotation: 24 * time.Hour, publishBefore: time.Hour, tokenLifetime: 15 * time.Minute}}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for range 24 * 60 * 30 {
		w.rotate(now)
		require.LessOrEqual(t, len(w.asOf(now)), 2)
		now = now.Add(time.Minute)
	}
	require.WithinDuration(t, now, w.asOf(now)[0].ActivatesAt, 26*time.Hour)
}

func TestSigner(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	past, longPast := now.Add(-time.Hour), now.Add(-2*time.Hour)
	for name, c := range map[string]struct {
		lives []Life
		want  string
	}{
		"none":                    {nil, ""},
		"not active yet":          {[]Life{{ID: "a", Algorithm: jose.ES256, ActivatesAt: now.Add(1)}}, ""},
		"active now":              {[]Life{{ID: "a", Algorithm: jose.ES256, ActivatesAt: now}}, "a"},
		"the later":               {[]Life{{ID: "b", Algorithm: jose.ES256, ActivatesAt: past}, {ID: "a", Algorithm: jose.ES256, ActivatesAt: longPast}}, "b"},
		"of another algorithm":    {[]Life{{ID: "a", Algorithm: jose.RS256, ActivatesAt: past}}, ""},
		"removed":                 {[]Life{{ID: "a", Algorithm: jose.ES256, ActivatesAt: longPast, RemovesAt: &past}}, ""},
		"retired, successor lost": {[]Life{{ID: "a", Algorithm: jose.ES256, ActivatesAt: longPast, RetiresAt: &past}}, "a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := signer(c.lives, jose.ES256, now)
			require.Equal(t, c.want, got.ID)
			require.Equal(t, c.want != "", ok)
		})
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	good := Config{Algorithms: []string{"ES256", "RS256"}, Rotation: 720 * time.Hour, PublishBefore: time.Hour}
	require.NoError(t, good.Validate())
	for name, change := range map[string]func(*Config){
		"KEY_ALGORITHMS must name at least one":   func(c *Config) { c.Algorithms = nil },
		"KEY_ALGORITHMS must be ES256":            func(c *Config) { c.Algorithms = []string{"HS256"} },
		"each once":                               func(c *Config) { c.Algorithms = []string{"ES256", "ES256"} },
		"KEY_PUBLISH_BEFORE must be at least 20m": func(c *Config) { c.PublishBefore = time.Minute },
		"KEY_ROTATION must be at least twice":     func(c *Config) { c.Rotation = time.Hour },
	} {
		c := good
		change(&c)
		require.ErrorContains(t, c.Validate(), name)
	}
}
