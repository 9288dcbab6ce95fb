package token_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/token"
)

const ttl = 15 * time.Minute

func userMark(id string, notBefore time.Time) token.Watermark {
	return token.Watermark{Scope: token.ScopeUser, ID: id, NotBefore: notBefore, ExpiresAt: notBefore.Add(ttl)}
}

func sessionMark(id string, notBefore time.Time) token.Watermark {
	return token.Watermark{Scope: token.ScopeSession, ID: id, NotBefore: notBefore, ExpiresAt: notBefore.Add(ttl)}
}

func TestWatermarksRevoked(t *testing.T) {
	t.Parallel()
	c := newClock()
	now := c.Now()
	for name, tc := range map[string]struct {
		raised    []token.Watermark
		principal authz.Principal
		revoked   bool
	}{
		"nothing_raised":            {nil, authz.Principal{Subject: "u"}, false},
		"older_than_the_users":      {[]token.Watermark{userMark("u", now)}, authz.Principal{Subject: "u", IssuedAt: now.Add(-time.Millisecond)}, true},
		"as_old_as_the_users":       {[]token.Watermark{userMark("u", now)}, authz.Principal{Subject: "u", IssuedAt: now}, false},
		"finer_rounds_up":           {[]token.Watermark{userMark("u", now.Add(time.Microsecond))}, authz.Principal{Subject: "u", IssuedAt: now}, true},
		"older_than_the_sessions":   {[]token.Watermark{sessionMark("s", now)}, authz.Principal{Subject: "u", SessionID: "s", IssuedAt: now.Add(-1)}, true},
		"somebody_elses":            {[]token.Watermark{userMark("v", now)}, authz.Principal{Subject: "u", SessionID: "s"}, false},
		"scopes_do_not_mix":         {[]token.Watermark{userMark("s", now), sessionMark("u", now)}, authz.Principal{Subject: "u", SessionID: "s"}, false},
		"no_session_no_mark":        {[]token.Watermark{sessionMark("", now)}, authz.Principal{Subject: "u"}, false},
		"never_lowered":             {[]token.Watermark{userMark("u", now), userMark("u", now.Add(-time.Minute))}, authz.Principal{Subject: "u", IssuedAt: now.Add(-time.Second)}, true},
		"raised_again":              {[]token.Watermark{userMark("u", now.Add(-time.Minute)), userMark("u", now)}, authz.Principal{Subject: "u", IssuedAt: now.Add(-time.Second)}, true},
		"of_the_future":             {[]token.Watermark{sessionMark("s", now.Add(time.Hour))}, authz.Principal{Subject: "u", SessionID: "s", IssuedAt: now.Add(time.Minute)}, true},
		"expired_mark_is_forgotten": {[]token.Watermark{userMark("u", now.Add(-ttl))}, authz.Principal{Subject: "u"}, false},
		"unknown_scope":             {[]token.Watermark{{Scope: "org", ID: "u", NotBefore: now, ExpiresAt: now.Add(ttl)}}, authz.Principal{Subject: "u"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := token.NewWatermarks(c.Now)
			for _, m := range tc.raised {
				w.Raise(m)
			}
			require.Equal(t, tc.revoked, w.Revoked(&tc.principal))
		})
	}
}

func TestWatermarksRaiseTellsWhetherItChangedAnything(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := token.NewWatermarks(c.Now)
	require.True(t, w.Raise(userMark("u", c.Now())))
	require.False(t, w.Raise(userMark("u", c.Now())))
	require.False(t, w.Raise(userMark("u", c.Now().Add(-time.Second))))
	require.True(t, w.Raise(userMark("u", c.Now().Add(time.Second))))
	require.False(t, w.Raise(userMark("u", c.Now().Add(-time.Hour))))
	require.False(t, w.Raise(userMark("", c.Now())))
}

func TestWatermarksMemoryIsBoundedByTheLifeOfAToken(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := token.NewWatermarks(c.Now)
	peak := 0
	for n := range 100_000 { // 100 a second for about 17 minutes of tokens that live 15
		w.Raise(userMark(fmt.Sprint(n), c.Now()))
		c.Advance(10 * time.Millisecond)
		if n%1000 == 0 {
			peak = max(peak, w.Len())
		}
	}
	require.LessOrEqual(t, peak, 100*60*17)
	c.Advance(24 * time.Hour)
	require.Zero(t, w.Len())
	w.Raise(userMark("u", c.Now()))
	require.Equal(t, 1, w.Len())
}

func TestWatermarksProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		w := token.NewWatermarks(c.Now)
		ids := rapid.SampledFrom([]string{"a", "b", "c"})
		scopes := rapid.SampledFrom([]string{token.ScopeUser, token.ScopeSession})
		offsets := rapid.Int64Range(-int64(20*time.Minute), int64(time.Minute))
		var raised []token.Watermark
		revoked := func(p *authz.Principal) bool {
			for _, m := range raised {
				mine := (m.Scope == token.ScopeUser && m.ID == p.Subject) || (m.Scope == token.ScopeSession && m.ID == p.SessionID)
				if mine && p.IssuedAt.Before(m.NotBefore) && c.Now().Before(m.ExpiresAt) {
					return true
				}
			}
			return false
		}
		t.Repeat(map[string]func(*rapid.T){
			"raise": func(t *rapid.T) {
				notBefore := c.Now().Add(time.Duration(offsets.Draw(t, "not before"))).Truncate(time.Millisecond)
				m := token.Watermark{Scope: scopes.Draw(t, "scope"), ID: ids.Draw(t, "id"), NotBefore: notBefore, ExpiresAt: notBefore.Add(ttl)}
				w.Raise(m)
				raised = append(raised, m)
			},
			"advance": func(t *rapid.T) {
				c.Advance(time.Duration(rapid.Int64Range(0, int64(20*time.Minute)).Draw(t, "by")))
			},
			"": func(t *rapid.T) {
				p := &authz.Principal{
					Subject: ids.Draw(t, "subject"), SessionID: ids.Draw(t, "session"),
					IssuedAt: c.Now().Add(time.Duration(offsets.Draw(t, "issued"))).Truncate(time.Millisecond),
				}
				if got, want := w.Revoked(p), revoked(p); got != want {
					t.Fatalf("revoked is %v, want %v", got, want)
				}
				needed := map[string]bool{}
				for _, m := range raised {
					if m.ExpiresAt.After(c.Now().Add(-2 * time.Minute)) {
						needed[m.Scope+m.ID] = true
					}
				}
				if w.Len() > len(needed) {
					t.Fatalf("%d marks are held, %d are needed", w.Len(), len(needed))
				}
			},
		})
	})
}

func TestSubscribe(t *testing.T) {
	t.Parallel()
	setup := func(t *testing.T) (*clock, *token.Watermarks, <-chan struct{}) {
		t.Helper()
		c := newClock()
		w := token.NewWatermarks(c.Now)
		revoked, cancel := w.Subscribe("u", "s")
		t.Cleanup(func() {
			cancel()
			cancel()
			require.Zero(t, w.Streams())
		})
		return c, w, revoked
	}
	closed := func(ch <-chan struct{}) bool {
		select {
		case <-ch:
			return true
		default:
			return false
		}
	}
	t.Run("closed_by_the_users_watermark", func(t *testing.T) {
		t.Parallel()
		c, w, revoked := setup(t)
		w.Raise(userMark("u", c.Now()))
		require.True(t, closed(revoked))
	})
	t.Run("closed_by_the_sessions_watermark_then_the_users_does_no_harm", func(t *testing.T) {
		t.Parallel()
		c, w, revoked := setup(t)
		w.Raise(sessionMark("s", c.Now()))
		w.Raise(userMark("u", c.Now()))
		require.True(t, closed(revoked))
	})
	t.Run("open_for_those_of_others", func(t *testing.T) {
		t.Parallel()
		c, w, revoked := setup(t)
		w.Raise(userMark("v", c.Now()))
		w.Raise(sessionMark("t", c.Now()))
		require.False(t, closed(revoked))
	})
}

func TestWatch(t *testing.T) {
	t.Parallel()
	setup := func(t *testing.T) (*clock, *token.Watermarks, *authz.Principal) {
		t.Helper()
		c := newClock()
		return c, token.NewWatermarks(c.Now), &authz.Principal{Subject: "u", SessionID: "s", IssuedAt: c.Now()}
	}
	t.Run("ends_with_the_reason", func(t *testing.T) {
		t.Parallel()
		c, w, p := setup(t)
		ctx, cancel := w.Watch(t.Context(), p)
		defer cancel()
		require.NoError(t, ctx.Err())
		w.Raise(sessionMark("s", c.Now().Add(time.Millisecond)))
		require.ErrorIs(t, ctx.Err(), context.Canceled)
		requireCode(t, context.Cause(ctx), errs.Unauthenticated, token.CodeRevoked)
		require.Zero(t, w.Streams())
	})
	t.Run("has_ended_when_the_token_was_revoked_before", func(t *testing.T) {
		t.Parallel()
		c, w, p := setup(t)
		w.Raise(userMark("u", c.Now().Add(time.Millisecond)))
		ctx, cancel := w.Watch(t.Context(), p)
		defer cancel()
		requireCode(t, context.Cause(ctx), errs.Unauthenticated, token.CodeRevoked)
	})
	t.Run("goes_on_when_the_token_is_newer_than_the_watermark", func(t *testing.T) {
		t.Parallel()
		c, w, p := setup(t)
		ctx, cancel := w.Watch(t.Context(), p)
		w.Raise(userMark("u", c.Now()))
		require.NoError(t, ctx.Err(), "a mark that the poll brings late")
		cancel()
		require.Zero(t, w.Streams())
	})
}

func TestWatermarksConcurrently(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := token.NewWatermarks(c.Now)
	p := &authz.Principal{Subject: "u", SessionID: "s", IssuedAt: c.Now()}
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for range 500 {
				ctx, cancel := w.Watch(t.Context(), p)
				w.Raise(userMark(fmt.Sprint(n%3), c.Now()))
				w.Revoked(p)
				c.Advance(time.Second)
				w.Len()
				w.Staleness()
				if ctx.Err() != nil {
					t.Error("nobody revoked it")
				}
				cancel()
			}
		})
	}
	wg.Wait()
	require.Zero(t, w.Streams())
}
