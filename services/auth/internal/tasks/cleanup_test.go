package tasks_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/atrium-mesh/atrium/pkg/jobs"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
	"github.com/atrium-mesh/atrium/services/auth/internal/authtest"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/store"
	"github.com/atrium-mesh/atrium/services/auth/internal/tasks"
)

// fill adds one expired and one living row of each kind. The clock is the database's: rows that the kit expires go by it.
func fill(t *testing.T, b *authtest.Bundle) {
	t.Helper()
	ada, grace := b.Account(t, "ada@example.com"), b.Account(t, "grace@example.com")
	_, err := b.Pool.Exec(t.Context(), "DELETE FROM audit_log") // of making the accounts
	require.NoError(t, err)
	now := time.Now()
	for i, age := range []time.Duration{-time.Hour, 400 * 24 * time.Hour} {
		id, at := uuid.Must(uuid.NewV7()), now.Add(-age)
		for _, insert := range []struct {
			sql  string
			args []any
		}{
			{`INSERT INTO sessions (id, account_id, device, ip, user_agent, created_at, last_seen_at, issued_at, expires_at) VALUES ($1, $2, '', '', '', $3, $3, $3, $3)`, []any{id, ada.ID, at}},
			{`INSERT INTO refresh_tokens (id, session_id, hash, created_at, expires_at) VALUES ($1, $1, $2, $3, $3)`, []any{id, []byte{byte(i)}, at}},
			{`INSERT INTO links (id, account_id, purpose, hash, created_at, expires_at) VALUES ($1, $2, 'not_me', $3, $4, $4)`, []any{id, ada.ID, []byte{byte(i)}, at}},
			{`INSERT INTO link_causes (id, account_id, purpose, created_at, expires_at) VALUES ($1, $2, 'not_me', $3, $3)`, []any{id, ada.ID, at}},
			{`INSERT INTO watermarks (scope, id, not_before, expires_at) VALUES ('user', $1, $2, $2)`, []any{id, at}},
			{`INSERT INTO service_assertions (hash, expires_at) VALUES ($1, $2)`, []any{[]byte{byte(i)}, at}},
			{`INSERT INTO sign_in_failures (scope, key, failures, first_at, last_at) VALUES ('pair', $1, 1, $2, $2)`, []any{[]byte{byte(i)}, at}},
			{`INSERT INTO known_addresses (key, last_seen_at) VALUES ($1, $2)`, []any{[]byte{byte(i)}, at}},
			{`INSERT INTO mailboxes (key, mails, last_at) VALUES ($1, '{}', $2)`, []any{[]byte{byte(i)}, at}},
			{`INSERT INTO sign_up_browsers (account_id, hash, expires_at) VALUES ($1, '', $2)`, []any{[]uuid.UUID{ada.ID, grace.ID}[i], at}},
			{`INSERT INTO device_notices (account_id, since, told) VALUES ($1, $2, 1)`, []any{[]uuid.UUID{ada.ID, grace.ID}[i], at}},
			{`INSERT INTO audit_log (id, at, action, actor, subject, outcome) VALUES ($1, $2, 'x', '', '', 'success')`, []any{id, at}},
			{`INSERT INTO idempotency_keys (scope, key, hash, created_at) VALUES ('x', $1, '', $2)`, []any{id.String(), at}},
		} {
			_, err := b.Pool.Exec(t.Context(), insert.sql, insert.args...)
			require.NoError(t, err, insert.sql)
		}
	}
}

var tables = []string{
	"sessions", "refresh_tokens", "links", "link_causes", "watermarks", "service_assertions", "sign_in_failures", "known_addresses",
	"mailboxes", "sign_up_browsers", "audit_log", "idempotency_keys", "device_notices",
}

func cleanup(t *testing.T, b *authtest.Bundle, meter metric.MeterProvider) *tasks.CleanupWorker {
	t.Helper()
	cleaner, err := jobs.NewCleaner(jobs.CleanerConfig{
		Service: "auth",
		Kinds:   b.Store.Expiring(365 * 24 * time.Hour),
		DB:      b.Pool,
		Meter:   meter,
	})
	require.NoError(t, err)
	return &tasks.CleanupWorker{Cleaner: cleaner}
}

func TestCleanup_deletes_what_has_expired(t *testing.T) {
	t.Parallel()
	b := authtest.New(t)
	fill(t, b)
	for _, table := range tables {
		require.Equal(t, 2, b.Int(t, "SELECT count(*) FROM "+table), table)
	}
	reader := sdkmetric.NewManualReader()
	worker := cleanup(t, b, sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	_, err := b.Pool.Exec(t.Context(), "ANALYZE") // while there are two
	require.NoError(t, err)
	for range 2 {
		require.NoError(t, worker.Work(t.Context(), nil))
		for _, table := range tables {
			require.Equal(t, 1, b.Int(t, "SELECT count(*) FROM "+table), table)
		}
	}
	require.Len(t, b.Store.Expiring(365*24*time.Hour), len(tables)+1, "and audit_erasures, which has a test of its own")

	var told metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &told))
	rows := map[string]int64{}
	for _, point := range told.ScopeMetrics[0].Metrics[0].Data.(metricdata.Gauge[int64]).DataPoints {
		kind, _ := point.Attributes.Value("kind")
		rows[kind.AsString()] = point.Value
	}
	want := map[string]int64{"audit_erasures": 0}
	for _, table := range tables {
		want[table] = 2 // an estimate, of before
	}
	want["mailboxes"], want["sign_up_browsers"], want["device_notices"] = 1, 1, 1 // counted
	require.Equal(t, want, rows, "whatever grows is measured")
}

// River itself starts the job when the service does.
func TestCleanup_runs_at_start(t *testing.T) {
	t.Parallel()
	b := authtest.New(t)
	fill(t, b)
	workers := river.NewWorkers()
	river.AddWorker(workers, cleanup(t, b, nil))
	tel := telemetry.Nop()
	runner, err := jobs.New(jobs.Config{
		Pool: b.Pool, Replica: "test", Workers: workers, Queues: tasks.Queues(), Periodic: tasks.Periodic(), Tracer: tel.Tracer, Logger: tel.Logger,
	})
	require.NoError(t, err)
	require.NoError(t, runner.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, runner.Stop(context.WithoutCancel(t.Context()))) })
	require.Eventually(t, func() bool { return b.Int(t, "SELECT count(*) FROM sessions") == 1 }, 30*time.Second, 20*time.Millisecond)
}

// A trail of any length is emptied, a batch at a time, and nobody waits for it: not the erasure, not what comes after it.
func TestCleanup_finishes_erasures_of_long_trails(t *testing.T) {
	t.Parallel()
	b := authtest.New(t)
	ada, eve, grace := b.Account(t, "ada@example.com"), b.Account(t, "eve@example.com"), b.Account(t, "grace@example.com")
	for _, id := range []uuid.UUID{ada.ID, eve.ID, grace.ID} {
		_, err := b.Pool.Exec(t.Context(), `INSERT INTO audit_log (id, at, action, actor, subject, outcome, ip, device, details)
			SELECT gen_random_uuid(), now(), 'session.started', 'system', $1, 'failure', '192.0.2.1', 'Firefox', '{"a": 1}' FROM generate_series(1, 12000)`,
			id.String())
		require.NoError(t, err)
	}
	left := func(id uuid.UUID) int {
		return b.Int(t, "SELECT count(*) FROM audit_log WHERE subject = $1 AND (ip <> '' OR device <> '' OR details <> '{}')", id.String())
	}
	for _, id := range []uuid.UUID{ada.ID, eve.ID} {
		require.NoError(t, b.Store.InTx(t.Context(), func(tx identity.Tx) error { return tx.(*store.Tx).EraseAudit(t.Context(), id, b.Clock.Now()) }))
		require.Equal(t, 12001-5000, left(id), "one batch; registering is an entry, too")
	}
	require.NoError(t, cleanup(t, b, nil).Work(t.Context(), nil))
	require.Zero(t, left(ada.ID))
	require.Zero(t, left(eve.ID))
	require.Equal(t, 12001, left(grace.ID), "nobody else's")
	require.Zero(t, b.Int(t, "SELECT count(*) FROM audit_erasures"))
	require.Equal(t, 36000, b.Int(t, "SELECT count(*) FROM audit_log WHERE action = 'session.started'"), "what was done stays")
}
