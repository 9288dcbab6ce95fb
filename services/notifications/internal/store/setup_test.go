package store_test

import (
	"log/slog"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/atrium-mesh/atrium/pkg/jobs"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
	"github.com/atrium-mesh/atrium/services/notifications/internal/store"
	"github.com/atrium-mesh/atrium/services/notifications/internal/store/migrations"
)

// setup makes a store on a database of its own.
func setup(t *testing.T) (*store.Store, *pgxpool.Pool) {
	t.Helper()
	pool := pgtest.New(t, migrations.FS)
	require.NoError(t, jobs.Migrate(t.Context(), pool))
	runner, err := jobs.New(jobs.Config{Pool: pool, Tracer: noop.NewTracerProvider(), Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	return store.New(pool, runner), pool
}

func newID(t testing.TB) uuid.UUID {
	t.Helper()
	id, err := uuid.NewV7()
	require.NoError(t, err)
	return id
}
