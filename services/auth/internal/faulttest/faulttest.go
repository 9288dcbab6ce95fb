// Package faulttest makes one SQL statement after the other fail, to see that a change is done as a whole or not at all.
package faulttest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
	"github.com/atrium-mesh/atrium/services/auth/internal/store"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/migrations"
)

// tables are those that a change must leave alone when it fails. Counts of failed sign-ins are meant to survive.
var tables = []string{
	"accounts", "passwords", "account_roles", "sessions", "refresh_tokens", "known_devices", "watermarks", "links", "audit_log", "outbox",
	"mailboxes", "sign_up_browsers",
}

// Bench is a database whose statements can be made to fail.
type Bench struct {
	Store *store.Store // what is under test
	Plain *store.Store // what never fails, to prepare and to look
	pool  *pgxpool.Pool
	faults
}

// New makes a migrated database of the test's own.
func New(t testing.TB) *Bench {
	t.Helper()
	url := pgtest.NewURL(t, migrations.FS)
	plain := pgtest.Open(t, url)
	b := &Bench{Plain: store.New(plain), pool: plain}
	cfg, err := pgxpool.ParseConfig(url)
	require.NoError(t, err)
	cfg.ConnConfig.Tracer = &b.faults
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	b.Store = store.New(pool)
	return b
}

// faults is a tracer of pgx that hands a statement a context that has ended, so that it fails as one that was cut off does.
type faults struct {
	mu    sync.Mutex
	seen  int // statements so far
	left  int // statements until the one that fails; zero: none will
	fired bool
}

// TraceQueryStart implements pgx.QueryTracer.
func (f *faults) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen++
	if f.left == 0 || data.SQL == "begin" { // the pool begins again on another connection
		return ctx
	}
	if f.left--; f.left > 0 {
		return ctx
	}
	f.fired = true
	ended, cancel := context.WithCancel(ctx)
	cancel()
	return ended
}

// TraceQueryEnd implements pgx.QueryTracer.
func (*faults) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (f *faults) arm(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left, f.fired = n, false
}

func (f *faults) disarm() (fired bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left = 0
	return f.fired
}

// most bounds the statements of one operation.
const most = 100

// EachStatementFails runs an operation with its first statement failing, then its second, and so on, until it has none left to fail.
// Each time it must either succeed, or fail and leave everything as it was. It returns how many statements the operation has.
func (b *Bench) EachStatementFails(t *testing.T, operation func(ctx context.Context) error) int {
	t.Helper()
	for n := 1; n < most; n++ {
		before := b.state(t)
		b.arm(n)
		err := operation(t.Context())
		if !b.disarm() {
			require.NoError(t, err, "without a fault")
			return n - 1
		}
		if err == nil { // a statement that the operation can do without
			return n - 1
		}
		require.ErrorIs(t, err, errs.Canceled, "statement %d", n)
		require.Equal(t, before, b.state(t), "statement %d failed, and something stayed behind", n)
	}
	t.Fatal("the operation has too many statements")
	return 0
}

// Statements is how many an operation sends to the database.
func (b *Bench) Statements(operation func()) int {
	before := b.count()
	operation()
	return b.count() - before
}

func (f *faults) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen
}

// ForgetFailures lets sign-in be tried again at once.
func (b *Bench) ForgetFailures(ctx context.Context, t *testing.T) {
	t.Helper()
	_, err := b.pool.Exec(ctx, "DELETE FROM sign_in_failures")
	require.NoError(t, err)
}

// state is a fingerprint of every table.
func (b *Bench) state(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, table := range tables {
		var sum *string
		query := fmt.Sprintf("SELECT md5(string_agg(r::text, '|' ORDER BY r::text)) FROM %s r", table)
		require.NoError(t, b.pool.QueryRow(t.Context(), query).Scan(&sum))
		if sum != nil {
			fmt.Fprintf(&all, "%s %s\n", table, *sum)
		}
	}
	return all.String()
}
