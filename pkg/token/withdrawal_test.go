package token_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/pkg/token/tokentest"
)

// theft is a token that a verifier has seen, whose key is withdrawn then. It is good for hours: whoever forges one chooses that.
func theft(t *testing.T) (*clock, *tokentest.Issuer, func(raw string) error, string) {
	t.Helper()
	c := newClock()
	issuer := tokentest.NewIssuer(t, tokentest.WithClock(c.Now))
	verifier := issuer.Verifier(nil)
	verify := func(raw string) error {
		_, err := verifier.Verify(t.Context(), raw)
		return err
	}
	stolen := issuer.Sign(tokentest.Claims{Extra: map[string]any{"exp": c.Now().Add(24 * time.Hour).Unix()}})
	require.NoError(t, verify(stolen))
	issuer.Withdraw()
	return c, issuer, verify, stolen
}

func TestWithdrawnKey(t *testing.T) {
	t.Parallel()
	t.Run("a_cached_token_is_refused_once_the_new_keys_are_there", func(t *testing.T) {
		t.Parallel()
		c, issuer, verify, stolen := theft(t)
		c.Advance(5 * time.Second)
		require.NoError(t, verify(issuer.Sign(tokentest.Claims{})), "its key is not known, and is fetched")
		requireCode(t, verify(stolen), errs.Unauthenticated, token.CodeInvalid)
		require.Equal(t, 2, issuer.Fetches())
	})
	t.Run("a_cached_token_alone_has_the_keys_asked_for_again_after_a_minute", func(t *testing.T) {
		t.Parallel()
		c, issuer, verify, stolen := theft(t)
		c.Advance(time.Minute - time.Millisecond)
		require.NoError(t, verify(stolen))
		require.Equal(t, 1, issuer.Fetches())
		c.Advance(time.Millisecond)
		_ = verify(stolen) // nobody waits for the answer
		require.Eventually(t, func() bool { return verify(stolen) != nil }, 5*time.Second, time.Millisecond)
		requireCode(t, verify(stolen), errs.Unauthenticated, token.CodeInvalid)
	})
	t.Run("a_copy_of_two_minutes_is_not_believed_before_it_was_asked_for_again", func(t *testing.T) {
		t.Parallel()
		c, issuer, verify, stolen := theft(t)
		c.Advance(2 * time.Minute)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if err := verify(stolen); err == nil {
					t.Error("accepted")
				}
			})
		}
		wg.Wait()
		require.Equal(t, 2, issuer.Fetches())
	})
	t.Run("tokens_of_keys_that_stay_are_verified_again_and_good", func(t *testing.T) {
		t.Parallel()
		c := newClock()
		issuer := tokentest.NewIssuer(t, tokentest.WithClock(c.Now))
		verifier := issuer.Verifier(nil)
		raw := issuer.Sign(tokentest.Claims{})
		for range 3 {
			_, err := verifier.Verify(t.Context(), raw)
			require.NoError(t, err)
			issuer.Rotate()
			c.Advance(3 * time.Minute)
		}
	})
	t.Run("while_the_endpoint_is_away_nobody_waits_twice", func(t *testing.T) {
		t.Parallel()
		c, issuer, verify, stolen := theft(t)
		issuer.SetDown(true)
		c.Advance(2 * time.Minute)
		for range 5 {
			require.NoError(t, verify(stolen), "there is nothing to know it by")
		}
		require.Equal(t, 2, issuer.Fetches())
		issuer.SetDown(false)
		c.Advance(time.Minute)
		requireCode(t, verify(stolen), errs.Unauthenticated, token.CodeInvalid)
	})
	t.Run("another_key_under_the_same_id_is_another_key", func(t *testing.T) {
		t.Parallel()
		c := newClock()
		issuer := tokentest.NewIssuer(t, tokentest.WithClock(c.Now))
		further := token.NewVerifier(token.Config{Issuers: []token.Issuer{issuer.External()}, Clock: c.Now})
		t.Cleanup(func() { require.NoError(t, further.Stop(t.Context())) })
		raw := issuer.Sign(tokentest.Claims{Header: map[string]any{"kid": nil}})
		_, err := further.Verify(t.Context(), raw)
		require.NoError(t, err)
		issuer.Withdraw()
		c.Advance(2 * time.Minute)
		_, err = further.Verify(t.Context(), raw)
		requireCode(t, err, errs.Unauthenticated, token.CodeInvalid)
	})
}

// A watermark says so at once, whatever the copy of the keys.
func TestWithdrawnKeyIsAnnounced(t *testing.T) {
	t.Parallel()
	c := newClock()
	issuer := tokentest.NewIssuer(t, tokentest.WithClock(c.Now))
	watermarks := token.NewWatermarks(c.Now)
	verifier := issuer.Verifier(watermarks)
	claims := tokentest.Claims{TokenID: tokentest.TokenID(t, c.Now().Add(100*365*24*time.Hour))} // the issue instant that a thief would choose
	stolen := issuer.Sign(claims)
	thief, err := verifier.Verify(t.Context(), stolen)
	require.NoError(t, err)
	ctx, done := watermarks.Watch(t.Context(), thief)
	defer done()

	kid := issuer.KeyID()
	issuer.Rotate()
	require.True(t, watermarks.Raise(token.Watermark{Scope: token.ScopeKey, ID: token.KeyID(kid), NotBefore: c.Now(), ExpiresAt: c.Now().Add(time.Hour)}))
	_, err = verifier.Verify(t.Context(), stolen)
	requireCode(t, err, errs.Unauthenticated, token.CodeInvalid)
	require.ErrorIs(t, context.Cause(ctx), errs.Unauthenticated, "its stream has ended")
	_, done = watermarks.Watch(t.Context(), thief)
	done()
	require.Zero(t, watermarks.Streams())

	_, err = verifier.Verify(t.Context(), issuer.Sign(claims))
	require.NoError(t, err, "what the new key signs is good at once")
	_, err = verifier.Verify(t.Context(), issuer.UnknownKey(tokentest.Claims{}))
	requireCode(t, err, errs.Unauthenticated, token.CodeInvalid)
	require.Equal(t, 2, issuer.Fetches(), "one announcement, one fetch")
	require.False(t, watermarks.Revoked(&authz.Principal{Subject: "u"}), "a token that no key of ours signed")
}
