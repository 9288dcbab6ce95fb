package token_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/pkg/token/tokentest"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	setup := func(t *testing.T) (*clock, *tokentest.Issuer, *token.Verifier) {
		t.Helper()
		c := newClock()
		issuer := tokentest.NewIssuer(t, tokentest.WithClock(c.Now))
		return c, issuer, issuer.Verifier(nil)
	}
	verify := func(t *testing.T, issuer *tokentest.Issuer, v *token.Verifier) error {
		t.Helper()
		_, err := v.Verify(t.Context(), issuer.Sign(tokentest.Claims{}))
		return err
	}

	t.Run("many_tokens_at_once_cause_one_fetch", func(t *testing.T) {
		t.Parallel()
		_, issuer, verifier := setup(t)
		var wg sync.WaitGroup
		for range 50 {
			raw := issuer.Sign(tokentest.Claims{})
			wg.Go(func() {
				if _, err := verifier.Verify(t.Context(), raw); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.Equal(t, 1, issuer.Fetches())
	})
	t.Run("unknown_keys_cause_one_fetch_in_five_seconds", func(t *testing.T) {
		t.Parallel()
		c, issuer, verifier := setup(t)
		require.NoError(t, verify(t, issuer, verifier))
		attack := func() {
			for range 100 {
				_, err := verifier.Verify(t.Context(), issuer.UnknownKey(tokentest.Claims{}))
				requireCode(t, err, errs.Unauthenticated, token.CodeInvalid)
			}
		}
		attack()
		require.Equal(t, 1, issuer.Fetches(), "the keys were fetched a moment ago")
		c.Advance(5*time.Second - time.Millisecond)
		attack()
		require.Equal(t, 1, issuer.Fetches())
		c.Advance(time.Millisecond)
		attack()
		require.Equal(t, 2, issuer.Fetches())
	})
	t.Run("a_new_key_is_found", func(t *testing.T) {
		t.Parallel()
		c, issuer, verifier := setup(t)
		old := issuer.Sign(tokentest.Claims{})
		require.NoError(t, verify(t, issuer, verifier))
		c.Advance(5 * time.Second)
		issuer.Rotate()
		require.NoError(t, verify(t, issuer, verifier))
		_, err := verifier.Verify(t.Context(), old)
		require.NoError(t, err, "the old key is still published")
		require.Equal(t, 2, issuer.Fetches())
	})
	t.Run("a_known_key_verifies_while_the_endpoint_is_down", func(t *testing.T) {
		t.Parallel()
		c, issuer, verifier := setup(t)
		require.NoError(t, verify(t, issuer, verifier))
		issuer.SetDown(true)
		for range 5 {
			c.Advance(10 * time.Minute) // past the refresh, which fails, and which the token waits for
			require.NoError(t, verify(t, issuer, verifier))
		}
	})
	t.Run("an_unknown_key_is_unavailable_while_the_endpoint_is_down", func(t *testing.T) {
		t.Parallel()
		c, issuer, verifier := setup(t)
		require.NoError(t, verify(t, issuer, verifier))
		issuer.SetDown(true)
		issuer.Rotate()
		c.Advance(5 * time.Second)
		for range 3 {
			requireCode(t, verify(t, issuer, verifier), errs.Unavailable, token.CodeKeysUnavailable)
		}
		require.Equal(t, 2, issuer.Fetches())
	})
	t.Run("at_start_the_endpoint_may_be_down_and_come_back", func(t *testing.T) {
		t.Parallel()
		c, issuer, verifier := setup(t)
		issuer.SetDown(true)
		err := verify(t, issuer, verifier)
		requireCode(t, err, errs.Unavailable, token.CodeKeysUnavailable)
		require.Positive(t, errs.From(err).RetryAfter)
		issuer.SetDown(false)
		require.ErrorIs(t, verify(t, issuer, verifier), errs.Unavailable, "asked a moment ago")
		c.Advance(time.Second)
		require.NoError(t, verify(t, issuer, verifier))
		require.Equal(t, 2, issuer.Fetches())
	})
	t.Run("known_keys_are_refreshed_without_anybody_waiting", func(t *testing.T) {
		t.Parallel()
		c, issuer, verifier := setup(t)
		require.NoError(t, verify(t, issuer, verifier))
		c.Advance(time.Minute)
		require.NoError(t, verify(t, issuer, verifier))
		require.Eventually(t, func() bool { return issuer.Fetches() == 2 }, 5*time.Second, time.Millisecond)
		require.NoError(t, verify(t, issuer, verifier))
		require.Equal(t, 2, issuer.Fetches())
	})
}
