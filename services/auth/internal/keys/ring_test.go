package keys_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/authtest"
	"github.com/atrium-mesh/atrium/services/auth/internal/keys"
	"github.com/atrium-mesh/atrium/services/auth/internal/store"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/migrations"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/jackc/pgx/v5/pgxpool.(*Pool).backgroundHealthCheck"))
}

type bundle struct {
	pool  *pgxpool.Pool
	clock *authtest.Clock
	log   *bytes.Buffer
}

func setup(t *testing.T) *bundle {
	t.Helper()
	return &bundle{
		pool:  pgtest.New(t, migrations.FS),
		clock: authtest.NewClock(),
		log:   &bytes.Buffer{},
	}
}

func (b *bundle) ring(t *testing.T, algorithms ...string) *keys.Ring {
	t.Helper()
	return b.sealed(t, bytes.Repeat([]byte{7}, 32), algorithms...)
}

func (b *bundle) sealed(t *testing.T, sealKey []byte, algorithms ...string) *keys.Ring {
	t.Helper()
	if len(algorithms) == 0 {
		algorithms = []string{"ES256"}
	}
	r, err := keys.NewRing(keys.Config{Algorithms: algorithms, Rotation: 24 * time.Hour, PublishBefore: time.Hour}, keys.Deps{
		Store: store.New(b.pool).Keys(), SealKey: sealKey, TokenLifetime: 15 * time.Minute, Clock: b.clock.Now,
		Logger: slog.New(slog.NewTextHandler(b.log, nil)),
	})
	require.NoError(t, err)
	return r
}

func keySet(t *testing.T, r *keys.Ring) jose.JSONWebKeySet {
	t.Helper()
	answer, err := r.JWKS(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, "public, max-age=300", answer.CacheControl)
	text, err := json.Marshal(answer.Body)
	require.NoError(t, err)
	require.NotContains(t, string(text), `"d"`, "a private key must not be published")
	var set jose.JSONWebKeySet
	require.NoError(t, json.Unmarshal(text, &set))
	return set
}

// verifies reports whether a copy of the key set verifies a token.
func verifies(t *testing.T, set jose.JSONWebKeySet, raw string) bool {
	t.Helper()
	token, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.ES256, jose.RS256})
	require.NoError(t, err)
	require.Equal(t, "at+jwt", token.Headers[0].ExtraHeaders[jose.HeaderType])
	found := set.Key(token.Headers[0].KeyID)
	if len(found) == 0 {
		return false
	}
	var claims map[string]any
	require.NoError(t, token.Claims(found[0].Key, &claims))
	require.Equal(t, "ada", claims["sub"])
	return true
}

func sign(t *testing.T, r *keys.Ring) string {
	t.Helper()
	raw, err := r.Sign(t.Context(), "at+jwt", map[string]any{"sub": "ada"})
	require.NoError(t, err)
	return raw
}

func TestRing_first_start(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.ring(t)
	require.NoError(t, r.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, r.Stop(context.WithoutCancel(t.Context()))) })
	set := keySet(t, r)
	require.Len(t, set.Keys, 1)
	require.True(t, verifies(t, set, sign(t, r)), "the first key signs at once")

	key := set.Keys[0]
	require.Equal(t, "ES256", key.Algorithm)
	require.Equal(t, "sig", key.Use)
	thumbprint, err := key.Thumbprint(5)
	require.NoError(t, err)
	require.Len(t, thumbprint, 32)
	require.Len(t, key.KeyID, 43, "RFC 7638")
	select {
	case err := <-r.Failed():
		t.Fatal(err)
	default:
	}
}

func TestRing_replicas_that_start_together_share_one_key(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.log = nil
	const replicas = 6
	rings := make([]*keys.Ring, replicas)
	for i := range rings {
		b.log = &bytes.Buffer{}
		rings[i] = b.ring(t)
	}
	var wg sync.WaitGroup
	failures := make([]error, replicas)
	for i, r := range rings {
		wg.Go(func() { failures[i] = r.Tick(t.Context()) })
	}
	wg.Wait()
	for i, r := range rings {
		require.NoError(t, failures[i])
		require.Len(t, keySet(t, r).Keys, 1)
		require.True(t, verifies(t, keySet(t, rings[0]), sign(t, r)))
	}
}

// The whole table and two replicas, one of which reads it late, through several rotations: every token verifies with a copy that is as old
// as the cache lifetime, when it is fresh and just before it expires.
func TestRing_rotation_never_fails_a_token(t *testing.T) {
	t.Parallel()
	b := setup(t)
	early, late := b.ring(t), b.ring(t)
	require.NoError(t, early.Tick(t.Context()))
	require.NoError(t, late.Tick(t.Context()))

	type copied struct {
		at  time.Time
		set jose.JSONWebKeySet
	}
	type signed struct {
		at  time.Time
		raw string
	}
	var copies []copied
	var tokens []signed
	seen := map[string]bool{}
	const step, lifetime = 7*time.Minute + 30*time.Second, 15 * time.Minute
	for range int(52 * time.Hour / step) {
		now := b.clock.Now()
		require.NoError(t, early.Tick(t.Context()))
		copies = append(copies, copied{now, keySet(t, late)})
		tokens = append(tokens, signed{now, sign(t, early)}, signed{now, sign(t, late)})
		for _, c := range copies {
			if now.Sub(c.at) > keys.CacheLifetime {
				continue
			}
			for _, token := range tokens {
				if now.Sub(token.at) <= lifetime {
					require.True(t, verifies(t, c.set, token.raw), "signed %s ago, copied %s ago", now.Sub(token.at), now.Sub(c.at))
				}
			}
		}
		for _, k := range copies[len(copies)-1].set.Keys {
			seen[k.KeyID] = true
		}
		copies, tokens = copies[max(0, len(copies)-4):], tokens[max(0, len(tokens)-8):]
		require.NoError(t, late.Tick(t.Context())) // after early, which has rotated
		b.clock.Advance(step)
	}
	require.GreaterOrEqual(t, len(seen), 3, "keys have rotated")
	require.LessOrEqual(t, len(keySet(t, early).Keys), 2, "old keys are gone")
}

func TestRing_two_algorithms(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.ring(t, "RS256", "ES256")
	require.NoError(t, r.Tick(t.Context()))
	set := keySet(t, r)
	require.Len(t, set.Keys, 2)
	raw := sign(t, r)
	require.True(t, verifies(t, set, raw))
	token, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.RS256})
	require.NoError(t, err, "the first algorithm signs")
	require.NotEmpty(t, token.Headers)
	require.Equal(t, []string{"RS256", "ES256"}, r.Algorithms())
}

func TestRing_private_keys_are_sealed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.NoError(t, b.ring(t, "ES256", "RS256").Tick(t.Context()))
	rows, err := store.New(b.pool).SigningKeys(t.Context())
	require.NoError(t, err)
	require.Len(t, rows, 2)
	for _, row := range rows {
		require.NotContains(t, string(row.PrivateKey), "\x30\x13\x06\x07\x2a\x86\x48", "no ASN.1 of a key")
		require.NotContains(t, string(row.PublicJWK), `"d"`)
	}
	require.NotContains(t, b.log.String(), string(rows[0].PrivateKey))

	t.Run("another secret", func(t *testing.T) { //nolint:paralleltest // one after the other
		other := b.sealed(t, bytes.Repeat([]byte{8}, 32))
		require.ErrorIs(t, other.Tick(t.Context()), keys.ErrUnsealed)
		_, err := other.Sign(t.Context(), "at+jwt", map[string]any{})
		require.ErrorIs(t, err, keys.ErrUnsealed)
		_, err = other.JWKS(t.Context(), nil)
		require.ErrorIs(t, err, keys.ErrUnsealed)
	})
	t.Run("rows that were swapped", func(t *testing.T) { //nolint:paralleltest // one after the other
		_, err := b.pool.Exec(t.Context(), `UPDATE signing_keys a SET private_key = b.private_key FROM signing_keys b WHERE a.kid <> b.kid`)
		require.NoError(t, err)
		require.ErrorIs(t, b.ring(t).Tick(t.Context()), keys.ErrUnsealed)
	})
}

func TestRing_database_away(t *testing.T) {
	t.Parallel()
	b := setup(t)
	never := b.ring(t)
	r := b.ring(t)
	require.NoError(t, r.Tick(t.Context()))
	raw := sign(t, r)
	b.pool.Close()

	require.Error(t, r.Tick(t.Context()))
	require.Equal(t, errs.Unavailable, errs.KindOf(r.Tick(t.Context())))
	require.True(t, verifies(t, keySet(t, r), sign(t, r)), "for a minute it goes on")
	b.clock.Advance(2 * time.Minute)
	require.True(t, verifies(t, keySet(t, r), raw), "what is published stays published")
	_, err := r.Sign(t.Context(), "at+jwt", map[string]any{})
	require.ErrorIs(t, err, errs.Unavailable, "nothing is signed with keys that may be gone")

	_, err = never.JWKS(t.Context(), nil)
	require.ErrorIs(t, err, errs.Unavailable)
	require.ErrorIs(t, never.Start(t.Context()), errs.Unavailable)
}

func TestRing_no_key_yet(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.ring(t)
	_, err := r.Sign(t.Context(), "at+jwt", map[string]any{})
	require.ErrorIs(t, err, errs.Unavailable)
	require.Equal(t, "keys_missing", errs.From(err).Code)
	require.NoError(t, r.Tick(t.Context()))
	_, err = r.Sign(t.Context(), "at+jwt", func() {})
	require.Error(t, err, "claims that are no JSON")
}

func TestNewRing_refuses(t *testing.T) {
	t.Parallel()
	_, err := keys.NewRing(keys.Config{}, keys.Deps{SealKey: make([]byte, 32)})
	require.ErrorContains(t, err, "KEY_ALGORITHMS")
	_, err = keys.NewRing(keys.Config{Algorithms: []string{"ES256"}, Rotation: 24 * time.Hour, PublishBefore: time.Hour}, keys.Deps{SealKey: []byte("short")})
	require.ErrorContains(t, err, "key of the signing keys")
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	d := keys.Discovery{Issuer: "https://atrium.example.com", Algorithms: []string{"ES256"}}
	oidc, err := d.OpenID(t.Context(), nil)
	require.NoError(t, err)
	oauth, err := d.OAuth(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, oidc, oauth)
	require.Equal(t, "https://atrium.example.com", oidc.Body.Issuer)
	paths := map[string]bool{}
	for _, o := range api.Operations() {
		paths[o.Meta().Path] = true
	}
	for _, endpoint := range []string{oidc.Body.TokenEndpoint, oidc.Body.JWKSURI} {
		require.True(t, paths[strings.TrimPrefix(endpoint, d.Issuer)], "%s is not served", endpoint)
	}
	require.Empty(t, oidc.Body.ResponseTypesSupported, "there is no authorization endpoint")
}
