package revocation_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/authtest"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/revocation"
)

type bundle struct {
	*authtest.Bundle
	revocation.Ender
	account uuid.UUID
	own     identity.Session
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := authtest.New(t)
	ada := b.Account(t, "ada@example.com")
	return &bundle{Bundle: b, Ender: revocation.NewEnder(authtest.Keep - time.Minute), account: ada.ID, own: b.Session(t, ada.ID)}
}

// open makes many sessions at once that issued an access token so long ago.
func (b *bundle) open(t *testing.T, n int, ago time.Duration) {
	t.Helper()
	_, err := b.Pool.Exec(t.Context(), `INSERT INTO sessions (id, account_id, device, ip, user_agent, created_at, last_seen_at, issued_at, expires_at)
		SELECT gen_random_uuid(), $1, '', '', '', $2::timestamptz, $2::timestamptz - i * interval '1 ms', $2, $3 FROM generate_series(1, $4) i`,
		b.account, b.Clock.Now().Add(-ago), b.Clock.Now().Add(time.Hour), n)
	require.NoError(t, err)
}

func (b *bundle) others(t *testing.T) {
	t.Helper()
	require.NoError(t, b.Store.InTx(t.Context(), func(tx identity.Tx) error {
		return b.Others(t.Context(), tx, b.account, b.own.ID, revocation.ReasonPassword, b.Clock.Now())
	}))
}

func (b *bundle) beyond(t *testing.T, most int) (ended int) {
	t.Helper()
	require.NoError(t, b.Store.InTx(t.Context(), func(tx identity.Tx) (err error) {
		ended, err = b.Beyond(t.Context(), tx, b.account, b.own.ID, most, b.Clock.Now())
		return err
	}))
	return ended
}

func (b *bundle) opened(t *testing.T) int {
	return b.Int(t, "SELECT count(*) FROM sessions WHERE revoked_at IS NULL AND account_id = $1", b.account)
}

// scopes are what the watermarks of the outbox are of.
func (b *bundle) scopes(t *testing.T) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, mark := range authtest.Published(t, b.Bundle, api.WatermarkRaised) {
		out[mark.Scope]++
		require.NotEqual(t, b.own.ID.String(), mark.ID)
		require.True(t, mark.NotBefore.After(b.Clock.Now()) || mark.NotBefore.Equal(b.Clock.Now()))
	}
	return out
}

// A few other sessions are voided each by itself, so that the one that goes on notices nothing.
func TestOthers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.open(t, 3, 0)
	b.open(t, 50, time.Hour) // their access tokens have expired
	b.others(t)
	require.Equal(t, 1, b.opened(t))
	require.Equal(t, map[string]int{"session": 3}, b.scopes(t))
	b.others(t)
	require.Equal(t, map[string]int{"session": 3}, b.scopes(t), "again changes nothing")
}

// Whoever knows the password can make sessions without end. It takes one statement to end them, and one event to tell.
func TestOthers_of_very_many(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.open(t, 20_001, 0)
	began := time.Now()
	b.others(t)
	require.Less(t, time.Since(began), 5*time.Second, "within the request")
	require.Equal(t, 1, b.opened(t))
	require.Equal(t, map[string]int{"user": 1}, b.scopes(t))
}

func TestBeyond(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.open(t, 9, 0)
	require.Zero(t, b.beyond(t, 10))
	require.Equal(t, 10, b.opened(t))
	b.open(t, 2, time.Minute) // used before the others
	require.Equal(t, 2, b.beyond(t, 10))
	require.Zero(t, b.Int(t, "SELECT count(*) FROM sessions WHERE revoked_at IS NULL AND last_seen_at < $1", b.Clock.Now().Add(-time.Second)))
	require.Equal(t, 2, b.Int(t, "SELECT count(*) FROM sessions WHERE revoke_reason = 'too_many_sessions'"))
	require.Equal(t, map[string]int{"session": 2}, b.scopes(t))

	b.open(t, 100, time.Minute)
	require.Equal(t, 32, b.beyond(t, 10), "a part of them, each time")
	for range 3 {
		b.beyond(t, 10)
	}
	require.Equal(t, 10, b.opened(t))
}

// Two sign-ins at once neither wait for each other nor end more than they must.
func TestBeyond_at_once(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.open(t, 30, time.Minute)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { b.beyond(t, 10) })
	}
	wg.Wait()
	require.Equal(t, 10, b.opened(t))
	require.Equal(t, map[string]int{"session": 21}, b.scopes(t))
}
