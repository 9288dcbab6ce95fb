// Package authtest gives a test a database with accounts in it, and a clock.
package authtest

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/page"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/accounts"
	"github.com/atrium-mesh/atrium/services/auth/internal/address"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/store"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/migrations"
)

// Clock is a time that stands still until it is advanced.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock is a clock in January 2026.
func NewClock() *Clock { return &Clock{now: time.Date(2026, 1, 2, 15, 4, 5, 123456000, time.UTC)} }

// Now is its time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves it.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Keep is how long revocations are remembered.
const Keep = 16 * time.Minute

// Bundle is what a test works with.
type Bundle struct {
	Pool    *pgxpool.Pool
	Store   *store.Store
	Clock   *Clock
	Cursors *page.Cursors
}

// New makes a migrated database of the test's own.
func New(t testing.TB) *Bundle {
	t.Helper()
	pool := pgtest.New(t, migrations.FS)
	return &Bundle{Pool: pool, Store: store.New(pool), Clock: NewClock(), Cursors: page.NewCursors([]byte("a key for the cursors"))}
}

// Account makes a verified account that has these roles, or "user".
func (b *Bundle) Account(t testing.TB, email string, roles ...string) identity.Account {
	t.Helper()
	return b.Add(t, accounts.NewAccount{FullName: "Ada Lovelace", Origin: api.OriginSignUp, Verified: true, Roles: roles, PasswordHash: "$hash"}, email)
}

// Add makes an account.
func (b *Bundle) Add(t testing.TB, n accounts.NewAccount, email string) identity.Account {
	t.Helper()
	var err error
	n.Address, err = address.Parse("email", email)
	require.NoError(t, err)
	var account identity.Account
	require.NoError(t, b.Store.InTx(t.Context(), func(tx identity.Tx) error {
		account, err = accounts.Add(t.Context(), tx, n, b.Clock.Now())
		return err
	}))
	return account
}

// Session makes an open session of an account.
func (b *Bundle) Session(t testing.TB, account uuid.UUID) identity.Session {
	t.Helper()
	id, err := identity.NewID()
	require.NoError(t, err)
	now := b.Clock.Now()
	s := identity.Session{
		ID: id, OrgID: identity.Org, AccountID: account, Device: "Firefox on Linux", IP: "192.0.2.1", UserAgent: "Firefox",
		CreatedAt: now, LastSeenAt: now, IssuedAt: now, ExpiresAt: now.Add(720 * time.Hour),
	}
	require.NoError(t, b.Store.InTx(t.Context(), func(tx identity.Tx) error { return tx.AddSession(t.Context(), s) }))
	return s
}

// Stand puts an account into a status behind the back of package standing.
func (b *Bundle) Stand(t testing.TB, account uuid.UUID, status string) {
	t.Helper()
	_, err := b.Pool.Exec(t.Context(), "UPDATE accounts SET status = $2 WHERE id = $1", account, status)
	require.NoError(t, err)
}

// Status is how an account stands.
func (b *Bundle) Status(t testing.TB, account uuid.UUID) string {
	t.Helper()
	a, err := b.Store.Account(t.Context(), account)
	require.NoError(t, err)
	return a.Status
}

// Published is the data of the events of a type that wait in the outbox, in order.
func Published[T any](t testing.TB, b *Bundle, of events.Type[T]) []T {
	t.Helper()
	rows, err := b.Pool.Query(t.Context(), "SELECT data FROM outbox WHERE type = $1 ORDER BY seq", of.Name)
	require.NoError(t, err)
	defer rows.Close()
	out := []T{}
	for rows.Next() {
		var body []byte
		require.NoError(t, rows.Scan(&body))
		var data T
		require.NoError(t, json.Unmarshal(body, &data))
		out = append(out, data)
	}
	require.NoError(t, rows.Err())
	return out
}

// Int is the one number that a query answers.
func (b *Bundle) Int(t testing.TB, query string, args ...any) int {
	t.Helper()
	var n int
	require.NoError(t, b.Pool.QueryRow(t.Context(), query, args...).Scan(&n))
	return n
}

// Waiting returns when so many statements wait for locks that other transactions hold.
func (b *Bundle) Waiting(t testing.TB, statements int) {
	t.Helper()
	require.Eventually(t, func() bool { return b.Blocked(t) == statements }, time.Minute, 10*time.Millisecond)
}

// Blocked is how many statements wait for locks.
func (b *Bundle) Blocked(t testing.TB) int {
	t.Helper()
	return b.Int(t, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
}

// As is ctx of somebody who holds these permissions.
func As(ctx context.Context, account uuid.UUID, permissions ...string) context.Context {
	return authz.WithPrincipal(ctx, &authz.Principal{
		Subject: account.String(), SessionID: uuid.Nil.String(), OrgID: identity.Org, Type: "user", Permissions: permissions,
	})
}

// In is As with a session, for what asks how fresh it is.
func In(ctx context.Context, session identity.Session, permissions ...string) context.Context {
	return authz.WithPrincipal(ctx, &authz.Principal{
		Subject:     session.AccountID.String(),
		SessionID:   session.ID.String(),
		OrgID:       identity.Org,
		Type:        "user",
		Permissions: permissions,
	})
}
