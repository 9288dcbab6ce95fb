package migrations_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
	"github.com/atrium-mesh/atrium/services/users/internal/store/migrations"
)

// What goes up comes down, leaves nothing behind, and goes up again to the same.
func TestDownAndUpAgain(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t, nil)
	before := relations(t, pool)
	require.NoError(t, pg.Migrate(t.Context(), pool, migrations.FS))
	migrated := relations(t, pool)
	require.Subset(t, migrated, []string{"users", "audit_log", "users_search"})

	db := stdlib.OpenDBFromPool(pool)
	p, err := goose.NewProvider(goose.DialectPostgres, db, migrations.FS, goose.WithTableName("service_migrations"))
	require.NoError(t, err)
	_, err = p.DownTo(t.Context(), 0)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	require.ElementsMatch(t, append(before, "service_migrations", "service_migrations_pkey", "service_migrations_id_seq"), relations(t, pool))

	require.NoError(t, pg.Migrate(t.Context(), pool, migrations.FS))
	require.Equal(t, migrated, relations(t, pool))
}

func relations(t *testing.T, pool *pgxpool.Pool) []string {
	t.Helper()
	rows, err := pool.Query(t.Context(), "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY relname")
	require.NoError(t, err)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return names
}
