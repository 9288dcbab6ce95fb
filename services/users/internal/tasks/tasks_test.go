package tasks_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/jobs"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/users/internal/store"
	"github.com/atrium-mesh/atrium/services/users/internal/store/migrations"
	"github.com/atrium-mesh/atrium/services/users/internal/tasks"
	"github.com/atrium-mesh/atrium/services/users/internal/users"
)

func TestErase(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t, migrations.FS)
	worker := &tasks.Erase{Users: users.New(users.Config{
		Store: store.New(pool),
		Accounts: users.Accounts{Erase: func(context.Context, *auth.AccountActionRequest) (*auth.StandingResponse, error) {
			return &auth.StandingResponse{Standing: auth.StandingErased, Version: 2}, nil
		}},
		Clock: time.Now,
	})}

	// More than two batches of a hundred, one of them not due yet.
	_, err := pool.Exec(t.Context(), `INSERT INTO users (id, email, full_name, status, deleted_at, erase_at)
		SELECT gen_random_uuid(), i || '@example.com', 'Ada', 'deleted', now(), now() + CASE WHEN i = 1 THEN interval '1 hour' ELSE '-1 hour' END
		FROM generate_series(1, 231) i`)
	require.NoError(t, err)
	require.NoError(t, worker.Work(t.Context(), nil))
	require.Equal(t, 1, count(t, pool, "users"))
	require.Equal(t, 230, count(t, pool, "outbox"))

	pool.Close()
	require.ErrorIs(t, worker.Work(t.Context(), nil), errs.Unavailable, "the job runs again")
}

func TestCleanup(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t, migrations.FS)
	for _, sql := range []string{
		`INSERT INTO idempotency_keys (scope, key, hash, created_at)
		VALUES ('create-user', 'old', '', now() - interval '25 hours'), ('create-user', 'young', '', now())`,
		`INSERT INTO audit_log (id, user_id, actor, action, created_at)
		SELECT gen_random_uuid(), gen_random_uuid(), 'system', 'user.created', now() - i * interval '1 day' FROM generate_series(1, 2500) i`,
		`INSERT INTO erased_users (id, erased_at) VALUES (gen_random_uuid(), '2000-01-01')`,
		"ANALYZE",
	} {
		_, err := pool.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	reader := sdkmetric.NewManualReader()
	cleaner, err := jobs.NewCleaner(jobs.CleanerConfig{
		Service: "users",
		Kinds:   store.New(pool).Expiring(100*24*time.Hour + time.Hour),
		DB:      pool,
		Meter:   sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
	})
	require.NoError(t, err)
	worker := &tasks.Cleanup{Cleaner: cleaner}
	require.NoError(t, worker.Work(t.Context(), nil))
	require.Equal(t, 1, count(t, pool, "idempotency_keys"))
	require.Equal(t, 100, count(t, pool, "audit_log"))
	require.Equal(t, 1, count(t, pool, "erased_users"), "for ever")

	var told metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &told))
	rows := map[string]int64{}
	for _, point := range told.ScopeMetrics[0].Metrics[0].Data.(metricdata.Gauge[int64]).DataPoints {
		kind, _ := point.Attributes.Value("kind")
		rows[kind.AsString()] = point.Value
	}
	require.Equal(t, map[string]int64{
		"audit_log":        2500, // an estimate, of before
		"erased_users":     1,
		"idempotency_keys": 2,
	}, rows)
}

func TestPeriodic(t *testing.T) {
	t.Parallel()
	require.Len(t, tasks.Periodic(), 2)
	require.NotEqual(t, tasks.EraseArgs{}.Kind(), tasks.CleanupArgs{}.Kind())
}

func count(t *testing.T, pool *pgxpool.Pool, table string) int {
	t.Helper()
	var n int
	require.NoError(t, pool.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&n))
	return n
}
