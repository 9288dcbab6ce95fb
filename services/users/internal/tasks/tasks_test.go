package tasks_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
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
	_, err := pool.Exec(t.Context(), `INSERT INTO idempotency_keys (scope, key, hash, created_at)
		VALUES ('create-user', 'old', '', now() - interval '25 hours'), ('create-user', 'young', '', now())`)
	require.NoError(t, err)
	worker := &tasks.Cleanup{Pool: pool}
	require.NoError(t, worker.Work(t.Context(), nil))
	require.Equal(t, 1, count(t, pool, "idempotency_keys"))
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
