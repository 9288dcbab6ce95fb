package token_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/pkg/token/tokentest"
)

// desk is auth as a source sees it.
type desk struct {
	issuer *tokentest.Issuer

	mu    sync.Mutex
	err   error
	asked map[string]int
}

func (d *desk) issue(_ context.Context, target string) (string, time.Duration, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked[target]++
	if d.err != nil {
		return "", 0, d.err
	}
	return d.issuer.SignService("users", target), tokentest.Lifetime, nil
}

func (d *desk) set(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

func (d *desk) count(target string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked[target]
}

// inBubble runs a source in a bubble of time that passes when all wait.
func inBubble(t *testing.T, err error, test func(t *testing.T, s *token.Source, d *desk, marks *token.Watermarks)) {
	t.Helper()
	issuer := tokentest.NewIssuer(t, tokentest.WithClock(time.Now)) // its server stays outside
	synctest.Test(t, func(t *testing.T) {
		d, marks := &desk{issuer: issuer, err: err, asked: map[string]int{}}, token.NewWatermarks(nil)
		s := token.NewSource(token.SourceConfig{Targets: []string{"auth", "notifications"}, Issue: d.issue, Watermarks: marks})
		require.NoError(t, s.Start(t.Context()))
		defer func() { require.NoError(t, s.Stop(context.Background())) }() //nolint:usetesting // the test's own has ended
		test(t, s, d, marks)
	})
}

func TestSourceRenewsBesideRequests(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(t *testing.T, s *token.Source, d *desk, _ *token.Watermarks) {
		first, err := s.Token(t.Context(), "auth")
		require.NoError(t, err)
		synctest.Wait()
		require.NoError(t, s.Ready(t.Context()))
		require.Equal(t, 1, d.count("auth"))
		require.Equal(t, 1, d.count("notifications"))
		again, err := s.Token(t.Context(), "auth")
		require.NoError(t, err)
		require.Equal(t, first, again)
		_, err = s.Token(t.Context(), "elsewhere")
		require.Equal(t, errs.Internal, errs.KindOf(err))

		time.Sleep(tokentest.Lifetime * 2 / 3) //nolint:forbidigo // time of a bubble
		require.Equal(t, 2, d.count("auth"), "at half of its life, give or take a fifth")
		again, err = s.Token(t.Context(), "auth")
		require.NoError(t, err)
		require.NotEqual(t, first, again)
	})
}

func TestSourceGoesOnWhileAuthIsAway(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(t *testing.T, s *token.Source, d *desk, _ *token.Watermarks) {
		_, err := s.Token(t.Context(), "auth")
		require.NoError(t, err)
		synctest.Wait()
		d.set(errs.Unavailable)
		time.Sleep(tokentest.Lifetime - 10*time.Second) //nolint:forbidigo // time of a bubble
		_, err = s.Token(t.Context(), "auth")
		require.NoError(t, err, "as long as it is good")
		time.Sleep(10 * time.Second) //nolint:forbidigo // time of a bubble
		began := time.Now()
		_, err = s.Token(t.Context(), "auth")
		requireCode(t, err, errs.Unavailable, "service_identity_missing")
		require.LessOrEqual(t, time.Since(began), 2*time.Second)
		require.Error(t, s.Ready(t.Context()))
		d.set(nil)
		time.Sleep(time.Second) //nolint:forbidigo // time of a bubble
		require.NoError(t, s.Ready(t.Context()), "within a second of auth's return")
	})
}

func TestSourceWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	inBubble(t, errors.New("away"), func(t *testing.T, s *token.Source, d *desk, _ *token.Watermarks) {
		time.AfterFunc(300*time.Millisecond, func() { d.set(nil) })
		began := time.Now()
		_, err := s.Token(t.Context(), "auth")
		require.NoError(t, err)
		require.Less(t, time.Since(began), time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err = s.Token(ctx, "auth")
		require.NoError(t, err, "what is there is not waited for")
	})
}

func TestSourceSaysThatTheSecretIsWrong(t *testing.T) {
	t.Parallel()
	inBubble(t, errs.New(errs.Unauthenticated, "assertion_refused", "No."), func(t *testing.T, s *token.Source, _ *desk, _ *token.Watermarks) {
		_, err := s.Token(t.Context(), "auth")
		require.ErrorContains(t, err, "SERVICE_SECRET", "to the log")
		require.ErrorContains(t, s.Ready(t.Context()), "SERVICE_SECRET")
		told := httptest.NewRecorder()
		errs.WriteProblem(told, err, "1")
		require.Equal(t, http.StatusServiceUnavailable, told.Code)
		for _, text := range []string{told.Body.String(), errs.Encode(err)} {
			require.Contains(t, text, "service_identity_missing")
			require.NotContains(t, strings.ToLower(text), "secret", "but to nobody who asks")
			require.NotContains(t, strings.ToLower(text), "auth")
		}
	})
}

func TestSourceReplacesWhatIsRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(t *testing.T, s *token.Source, d *desk, _ *token.Watermarks) {
		first, err := s.Token(t.Context(), "auth")
		require.NoError(t, err)
		s.Refused("auth", first)
		second, err := s.Token(t.Context(), "auth")
		require.NoError(t, err)
		require.NotEqual(t, first, second)
		s.Refused("auth", first)
		s.Refused("auth", second)
		third, err := s.Token(t.Context(), "auth")
		require.NoError(t, err)
		require.Equal(t, second, third, "a target that believes nobody does not make a flood of requests")
		require.Equal(t, 2, d.count("auth"))
	})
}

func TestSourceReplacesWhatAWithdrawnKeySigned(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(t *testing.T, s *token.Source, d *desk, marks *token.Watermarks) {
		first, err := s.Token(t.Context(), "auth")
		require.NoError(t, err)
		synctest.Wait()
		stolen := d.issuer.Withdraw()
		marks.Raise(token.Watermark{
			Scope: token.ScopeKey, ID: token.KeyID(stolen), NotBefore: time.Now().Add(time.Second), ExpiresAt: time.Now().Add(time.Hour),
		})
		second, err := s.Token(t.Context(), "auth")
		require.NoError(t, err, "nobody waits for the target to refuse it")
		require.NotEqual(t, first, second)
	})
}
