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

// Whoever was erased before there was a table of the erased stays erased.
func TestErasedBefore(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t, nil)
	db := stdlib.OpenDBFromPool(pool)
	p, err := goose.NewProvider(goose.DialectPostgres, db, migrations.FS, goose.WithTableName("service_migrations"))
	require.NoError(t, err)
	_, err = p.UpTo(t.Context(), 5)
	require.NoError(t, err)
	_, err = pool.Exec(t.Context(), `INSERT INTO audit_log (id, user_id, actor, action) VALUES
		(gen_random_uuid(), '0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e', 'system', 'user.deleted'),
		(gen_random_uuid(), '0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e', 'system', 'user.erased'),
		(gen_random_uuid(), '0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5f', 'system', 'user.deleted')`)
	require.NoError(t, err)
	_, err = p.Up(t.Context())
	require.NoError(t, err)
	require.NoError(t, db.Close())
	rows, err := pool.Query(t.Context(), "SELECT id::text FROM erased_users")
	require.NoError(t, err)
	erased, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Equal(t, []string{"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"}, erased)
}

func relations(t *testing.T, pool *pgxpool.Pool) []string {
	t.Helper()
	rows, err := pool.Query(t.Context(), "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY relname")
	require.NoError(t, err)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return names
}
