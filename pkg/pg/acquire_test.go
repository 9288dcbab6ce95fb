package pg_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
)

func TestAcquire(t *testing.T) {
	t.Parallel()
	pool, err := pg.Open(t.Context(), pg.Config{URL: pgtest.StartServer(t).URL("waiting"), MaxConns: 1}, nil)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	db := pg.Typed(pool)
	soon := func(t *testing.T) context.Context {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		t.Cleanup(cancel)
		return ctx
	}

	_, err = db.Exec(t.Context(), "SELECT 1") // the pool has a connection from now on
	require.NoError(t, err)
	_, err = db.Exec(soon(t), "SELECT pg_sleep(10)")
	require.ErrorIs(t, err, errs.Timeout, "the database did not answer in time")

	held, err := pool.Acquire(t.Context())
	require.NoError(t, err)
	defer held.Release()
	_, err = db.Exec(soon(t), "SELECT 1")
	require.ErrorIs(t, err, errs.Unavailable, "no connection in time: nothing has been done")
	_, err = db.Query(soon(t), "SELECT 1") //nolint:sqlclosecheck // there are no rows
	require.ErrorIs(t, err, errs.Unavailable)
	require.ErrorIs(t, db.QueryRow(soon(t), "SELECT 1").Scan(new(int)), errs.Unavailable)
	require.ErrorIs(t, pg.InTx(soon(t), pool, func(pgx.Tx) error { return nil }), errs.Unavailable)

	// Who waits leaves itself the time to do something: half of it is over when it is told to come again.
	within := func(limit time.Duration) context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		t.Cleanup(cancel)
		return ctx
	}
	const limit = 2 * time.Second
	ctx := within(limit)
	_, err = db.Exec(ctx, "SELECT 1")
	require.ErrorIs(t, err, errs.Unavailable)
	require.NoError(t, ctx.Err(), "there was time left")
	ctx = within(limit)
	require.ErrorIs(t, pg.InTx(ctx, pool, func(pgx.Tx) error { return nil }), errs.Unavailable)
	require.NoError(t, ctx.Err(), "there was time left")

	// Whoever has a connection may use all of its time.
	held.Release()
	ctx = within(limit)
	_, err = db.Exec(ctx, "SELECT pg_sleep(1.2)")
	require.NoError(t, err)
	ctx = within(limit)
	require.NoError(t, pg.InTx(ctx, pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "SELECT pg_sleep(1.2)")
		return err
	}))
	rows, err := db.Query(within(limit), "SELECT n, pg_sleep(0.3) FROM generate_series(1, 4) n")
	require.NoError(t, err)
	n := 0
	for rows.Next() {
		n++
	}
	rows.Close()
	require.NoError(t, rows.Err())
	require.Equal(t, 4, n)
}
