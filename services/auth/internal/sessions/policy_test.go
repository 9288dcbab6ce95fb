package sessions

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

const (
	testGrace  = time.Minute
	testTTL    = time.Hour
	testMaxAge = 5 * time.Hour
)

func testConfig() Config { return Config{RefreshTTL: testTTL, MaxAge: testMaxAge, Grace: testGrace} }

func TestJudge(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ago := func(d time.Duration) *time.Time { at := now.Add(-d); return &at }
	// used makes the token used for so long, with a successor that is unused, or used for so long.
	used := func(p *presented, forSo time.Duration, successorUsed ...time.Duration) {
		child := identity.RefreshToken{ID: uuid.Must(uuid.NewV7()), ExpiresAt: now.Add(testTTL)}
		for _, d := range successorUsed {
			child.UsedAt = ago(d)
		}
		p.token.UsedAt, p.token.ChildID, p.successor = ago(forSo), &child.ID, &child
	}

	for name, tt := range map[string]struct {
		change func(p *presented)
		want   verdict
	}{
		"fresh":                    {func(*presented) {}, rotates},
		"expired":                  {func(p *presented) { p.token.ExpiresAt = now }, refused},
		"account_disabled":         {func(p *presented) { p.account.Status = identity.StatusDisabled }, refused},
		"account_erased":           {func(p *presented) { p.account.Status = identity.StatusErased }, refused},
		"session_revoked":          {func(p *presented) { p.session.RevokedAt = ago(1) }, refused},
		"session_expired":          {func(p *presented) { p.session.ExpiresAt = now }, refused},
		"session_nearly_too_old":   {func(p *presented) { p.session.CreatedAt = now.Add(1 - testMaxAge) }, rotates},
		"session_too_old":          {func(p *presented) { p.session.CreatedAt = now.Add(-testMaxAge) }, refused},
		"used_just_now":            {func(p *presented) { used(p, 0) }, repeats},
		"used_by_a_clock_ahead":    {func(p *presented) { used(p, -time.Second) }, repeats},
		"used_at_the_end_of_grace": {func(p *presented) { used(p, testGrace) }, repeats},
		"used_before_grace":        {func(p *presented) { used(p, testGrace+1) }, stolen},
		"used_and_its_successor_at_the_same_instant": {func(p *presented) { used(p, 0, 0) }, stolen},
		"used_and_its_successor_within_the_grace":    {func(p *presented) { used(p, 2*time.Second, time.Second) }, stolen},
		"used_and_its_successor_long_ago":            {func(p *presented) { used(p, time.Hour, time.Minute) }, stolen},
		"used_and_its_successor_is_forgotten":        {func(p *presented) { used(p, 0); p.successor = nil }, stolen},
		"used_and_expired":                           {func(p *presented) { used(p, time.Hour); p.token.ExpiresAt = now }, stolen},
		"used_in_a_revoked_session":                  {func(p *presented) { used(p, time.Hour); p.session.RevokedAt = ago(1) }, refused},
		"used_in_a_session_that_is_too_old":          {func(p *presented) { used(p, 0); p.session.CreatedAt = now.Add(-testMaxAge) }, refused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := presented{
				account: identity.Account{Status: identity.StatusActive},
				session: identity.Session{CreatedAt: now.Add(-time.Hour), ExpiresAt: now.Add(testTTL)},
				token:   identity.RefreshToken{ExpiresAt: now.Add(testTTL)},
			}
			tt.change(&p)
			require.Equal(t, tt.want, testConfig().judge(p, now))
		})
	}
}

// family is the tokens of a session, changed by verdicts as rotate changes the stored ones.
type family struct {
	session identity.Session
	tokens  []*identity.RefreshToken // each is the successor of the one before
	now     time.Time
}

func newFamily() *family {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return &family{
		session: identity.Session{CreatedAt: now, ExpiresAt: testConfig().until(now, now)},
		tokens:  []*identity.RefreshToken{{ID: uuid.Must(uuid.NewV7()), ExpiresAt: testConfig().until(now, now)}},
		now:     now,
	}
}

// present is what happens when somebody presents the token at a position; got is the position of the token in the answer.
func (f *family) present(at int) (v verdict, got int) {
	p := presented{account: identity.Account{Status: identity.StatusActive}, session: f.session, token: *f.tokens[at]}
	if at+1 < len(f.tokens) {
		p.successor = f.tokens[at+1]
	}
	v = testConfig().judge(p, f.now)
	now, end := f.now, testConfig().until(f.session.CreatedAt, f.now)
	switch v {
	case rotates:
		child := &identity.RefreshToken{ID: uuid.Must(uuid.NewV7()), ExpiresAt: end}
		f.tokens[at].UsedAt, f.tokens[at].ChildID = &now, &child.ID
		f.tokens = append(f.tokens, child)
		f.session.ExpiresAt = end
	case repeats: // its time runs since it was made
	case stolen:
		f.session.RevokedAt = &now
	case refused:
	}
	return v, at + 1
}

func (f *family) unused() (n int) {
	for _, token := range f.tokens {
		if token.UsedAt == nil {
			n++
		}
	}
	return n
}

// Whoever presents whichever token in whatever order, however late: there is one line of tokens, and one unused at its end; reuse ends all.
func TestJudge_of_any_order(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := newFamily()
		ended := false
		for range rapid.IntRange(1, 60).Draw(t, "requests") {
			f.now = f.now.Add(rapid.SampledFrom([]time.Duration{
				0, time.Second, 30 * time.Second, testGrace, testGrace + 1, 20 * time.Minute, testTTL,
			}).Draw(t, "pause"))
			at := rapid.IntRange(max(0, len(f.tokens)-4), len(f.tokens)-1).Draw(t, "token")
			before := len(f.tokens)
			v, got := f.present(at)
			if ended {
				require.Equal(t, refused, v, "nothing works after the session has ended")
			}
			switch v {
			case rotates:
				require.Equal(t, before-1, at, "only the last of the line gets a successor")
			case repeats:
				require.Equal(t, before-1, got, "only the last of the line is given again")
				require.Nil(t, f.tokens[got].UsedAt)
			case stolen:
				require.Less(t, at, before-1, "the last of the line accuses nobody")
			case refused:
			}
			ended = ended || v == stolen || v == refused && !f.session.Open(f.now)
			require.Equal(t, 1, f.unused(), "one live successor at most")
			require.False(t, f.session.ExpiresAt.After(f.session.CreatedAt.Add(testMaxAge)), "no session outlives its lifetime")
		}
	})
}

// A client that loses answers, and asks again within the grace, is never signed out and never accused.
func TestJudge_of_lost_answers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := newFamily()
		held := 0
		for range rapid.IntRange(1, int(testMaxAge/testTTL)-1).Draw(t, "uses") {
			f.now = f.now.Add(time.Duration(rapid.IntRange(1, int(testTTL-testGrace)-1).Draw(t, "pause")))
			v, got := f.present(held)
			require.Equal(t, rotates, v)
			patience := int(testGrace)
			for range rapid.IntRange(0, 5).Draw(t, "lost answers") {
				retry := rapid.IntRange(0, patience).Draw(t, "retry")
				patience -= retry
				f.now = f.now.Add(time.Duration(retry))
				again, same := f.present(held)
				require.Equal(t, repeats, again)
				require.Equal(t, got, same)
			}
			held = got
		}
	})
}

// Of two who hold one family, the second who uses it is noticed, be it thief or victim, also right after the first.
func TestJudge_of_a_thief(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := newFamily()
		held := 0
		for range rapid.IntRange(2, 4).Draw(t, "requests of the one") {
			f.now = f.now.Add(time.Duration(rapid.IntRange(0, int(testTTL)/2).Draw(t, "pause")))
			v, got := f.present(held)
			require.Equal(t, rotates, v)
			held = got
		}
		f.now = f.now.Add(time.Duration(rapid.IntRange(0, int(testTTL)/2).Draw(t, "later")))
		v, _ := f.present(0)
		require.Equal(t, stolen, v)
		v, _ = f.present(held)
		require.Equal(t, refused, v)
	})
}
