package pgtest_test

import (
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func migrations() fstest.MapFS {
	return fstest.MapFS{"00001_things.sql": {Data: []byte("-- +goose Up\nCREATE TABLE things (name text PRIMARY KEY);\n")}}
}

func TestNew(t *testing.T) {
	t.Parallel()
	for range 5 {
		t.Run("each test has its own migrated database", func(t *testing.T) {
			t.Parallel()
			pool := pgtest.New(t, migrations())
			_, err := pool.Exec(t.Context(), "INSERT INTO things VALUES ('one')")
			require.NoError(t, err)
			require.Equal(t, 1, count(t, pool, "things"))
			require.Equal(t, 0, count(t, pool, "outbox"))
		})
	}
}

func TestServer(t *testing.T) {
	t.Parallel()
	s := pgtest.StartServer(t)
	pool := pgtest.Open(t, s.URL("app"))
	require.NoError(t, pg.Migrate(t.Context(), pool, migrations()))
	_, err := pool.Exec(t.Context(), "INSERT INTO things VALUES ('one')")
	require.NoError(t, err)

	s.Stop()
	_, err = pool.Exec(t.Context(), "SELECT 1")
	require.ErrorIs(t, pg.Err(err), errs.Unavailable)

	s.Start()
	require.Equal(t, 1, count(t, pool, "things"))
	require.Equal(t, 0, count(t, pgtest.Open(t, s.URL("app")), "outbox"))
}

func count(t *testing.T, pool *pgxpool.Pool, table string) int {
	t.Helper()
	var n int
	require.NoError(t, pool.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&n))
	return n
}
