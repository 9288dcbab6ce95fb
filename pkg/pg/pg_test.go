package pg_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/goleak"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func schema() fstest.MapFS {
	return fstest.MapFS{"00001_t.sql": {Data: []byte(`-- +goose Up
CREATE TABLE parents (id integer PRIMARY KEY);
CREATE TABLE t (
	id integer PRIMARY KEY, email varchar(10) CONSTRAINT t_email_key UNIQUE, age integer CHECK (age > 0), parent integer REFERENCES parents,
	name text NOT NULL DEFAULT ''
);
`)}}
}

func TestErr(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t, schema())
	_, err := pool.Exec(t.Context(), "INSERT INTO t (id, email) VALUES (1, 'a@b')")
	require.NoError(t, err)

	for _, tc := range []struct {
		name, sql string
		want      errs.Kind
	}{
		{"unique", "INSERT INTO t (id, email) VALUES (2, 'a@b')", errs.Conflict},
		{"check", "INSERT INTO t (id, age) VALUES (2, -1)", errs.Invalid},
		{"too long", "INSERT INTO t (id, email) VALUES (2, 'longer than ten')", errs.Invalid},
		{"not null", "INSERT INTO t (id, name) VALUES (2, NULL)", errs.Invalid},
		{"foreign key", "INSERT INTO t (id, parent) VALUES (2, 7)", errs.Invalid},
		{"bad text", "SELECT 'x'::integer", errs.Invalid},
		{"out of range", "SELECT 3000000000::integer", errs.Invalid},
		{"statement timeout", "SET LOCAL statement_timeout = 1; SELECT pg_sleep(1)", errs.Timeout},
		{"lock not available", "DO $$ BEGIN RAISE SQLSTATE '55P03'; END $$", errs.Unavailable},
		{"serialization failure", "DO $$ BEGIN RAISE SQLSTATE '40001'; END $$", errs.Unavailable},
		{"too many connections", "DO $$ BEGIN RAISE SQLSTATE '53300'; END $$", errs.Unavailable},
		{"shutting down", "DO $$ BEGIN RAISE SQLSTATE '57P03'; END $$", errs.Unavailable},
		{"read only", "SET TRANSACTION READ ONLY; INSERT INTO t (id) VALUES (3)", errs.Unavailable},
		{"killed", "SELECT pg_terminate_backend(pg_backend_pid())", errs.Unavailable},
		{"a mistake of ours", "SELECT nonsense", errs.Internal},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := pool.Exec(t.Context(), tc.sql, pgx.QueryExecModeSimpleProtocol)
			requireSafe(t, err, tc.want)
		})
	}

	t.Run("the constraint has a name", func(t *testing.T) {
		t.Parallel()
		_, err := pool.Exec(t.Context(), "INSERT INTO t (id, email) VALUES (2, 'a@b')")
		require.Equal(t, "t_email_key", pg.Constraint(pg.Err(err)))
		require.Empty(t, pg.Constraint(errors.New("other")))
	})
	t.Run("no rows", func(t *testing.T) {
		t.Parallel()
		var id int
		requireSafe(t, pool.QueryRow(t.Context(), "SELECT id FROM t WHERE id = 77").Scan(&id), errs.NotFound)
	})
	t.Run("deadline and cancellation", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		_, err := pool.Exec(ctx, "SELECT pg_sleep(5)")
		requireSafe(t, err, errs.Timeout)
		ctx, cancel = context.WithCancel(t.Context())
		cancel()
		_, err = pool.Exec(ctx, "SELECT 1")
		requireSafe(t, err, errs.Canceled)
	})
	t.Run("what is not the driver's stays as it is", func(t *testing.T) {
		t.Parallel()
		require.NoError(t, pg.Err(nil))
		other := errors.New("other")
		require.Equal(t, other, pg.Err(other))
		typed := errs.New(errs.Forbidden, "no", "No.").WithCause(pgx.ErrNoRows)
		require.Equal(t, error(typed), pg.Err(typed))
	})
}

// requireSafe checks the kind, and that nothing of the driver is in what a caller may see.
func requireSafe(t *testing.T, err error, want errs.Kind) {
	t.Helper()
	mapped := pg.Err(fmt.Errorf("in the store: %w", err))
	require.Equal(t, want, errs.KindOf(mapped), "%v", err)
	require.ErrorIs(t, mapped, err, "the cause is kept")
	seen := errs.From(mapped)
	if want == errs.Unavailable {
		require.Positive(t, seen.RetryAfter)
	}
	for _, word := range []string{"SQLSTATE", "ERROR", "constraint", "pg", "sql", "t_email_key", "a@b"} {
		require.NotContains(t, seen.Code+" "+seen.Message, word)
	}
}

func TestErrWithoutServer(t *testing.T) {
	t.Parallel()
	pool, err := pg.Open(t.Context(), pg.Config{URL: "postgres://atrium:secret@127.0.0.1:1/nowhere", ConnectTimeout: time.Second}, nil)
	require.NoError(t, err, "opening needs no server")
	_, err = pool.Exec(t.Context(), "SELECT 1")
	requireSafe(t, err, errs.Unavailable)
	pool.Close()
	_, err = pool.Exec(t.Context(), "SELECT 1")
	requireSafe(t, err, errs.Unavailable)
}

func TestOpen(t *testing.T) {
	t.Parallel()

	t.Run("a URL that cannot be read is an error without its password", func(t *testing.T) {
		t.Parallel()
		for _, url := range []string{"postgres://u:s3cr3t@host:port/db", "postgres://u:s3cr3t@%zz/db", "s3cr3t", "postgres://u:s3cr3t@h/db?sslmode=s3cr3t"} {
			_, err := pg.Open(t.Context(), pg.Config{URL: url}, nil)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "s3cr3t")
		}
	})

	t.Run("sessions have timeouts", func(t *testing.T) {
		t.Parallel()
		pool := pgtest.New(t, nil)
		require.Equal(t, "10s", text(t, pool, "SHOW statement_timeout"))
		require.Equal(t, "1min", text(t, pool, "SHOW idle_in_transaction_session_timeout"))
	})

	t.Run("spans have the statement and not its parameters", func(t *testing.T) {
		t.Parallel()
		exporter := tracetest.NewInMemoryExporter()
		tracer := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
		pool, err := pg.Open(t.Context(), pg.Config{URL: pgtest.NewURL(t, nil)}, tracer)
		require.NoError(t, err)
		defer pool.Close()
		ctx, root := tracer.Tracer("test").Start(t.Context(), "request")
		_, err = pool.Exec(ctx, "SELECT $1::text", "ada@example.com")
		root.End()
		require.NoError(t, err)
		spans := fmt.Sprintf("%+v", exporter.GetSpans())
		require.Contains(t, spans, "SELECT $1::text")
		require.NotContains(t, spans, "ada@example.com")
	})
}

func TestInTx(t *testing.T) {
	t.Parallel()

	t.Run("an error and a panic roll back", func(t *testing.T) {
		t.Parallel()
		pool := pgtest.New(t, schema())
		insert := func(tx pgx.Tx) {
			_, err := tx.Exec(t.Context(), "INSERT INTO parents VALUES (1)")
			require.NoError(t, err)
		}
		mine := errors.New("mine")
		require.ErrorIs(t, pg.InTx(t.Context(), pool, func(tx pgx.Tx) error { insert(tx); return mine }), mine)
		require.PanicsWithValue(t, "bug", func() { _ = pg.InTx(t.Context(), pool, func(tx pgx.Tx) error { insert(tx); panic("bug") }) })
		require.Equal(t, "0", text(t, pool, "SELECT count(*)::text FROM parents"))
		require.Zero(t, pool.Stat().AcquiredConns())
		require.NoError(t, pg.InTx(t.Context(), pool, func(tx pgx.Tx) error { insert(tx); return nil }))
		require.Equal(t, "1", text(t, pool, "SELECT count(*)::text FROM parents"))
	})

	t.Run("a deadlock is tried again", func(t *testing.T) {
		t.Parallel()
		pool := pgtest.New(t, schema())
		_, err := pool.Exec(t.Context(), "INSERT INTO t (id, age) VALUES (1, 1), (2, 1)")
		require.NoError(t, err)
		var tries atomic.Int32
		var both, wg sync.WaitGroup
		both.Add(2)
		for _, order := range [][2]int{{1, 2}, {2, 1}} {
			var met sync.Once
			wg.Go(func() {
				err := pg.InTx(t.Context(), pool, func(tx pgx.Tx) error {
					tries.Add(1)
					for i, id := range order {
						if _, err := tx.Exec(t.Context(), "UPDATE t SET age = age + 1 WHERE id = $1", id); err != nil {
							return pg.Err(err)
						}
						if i == 0 {
							met.Do(func() { both.Done(); both.Wait() })
						}
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 3, tries.Load())
		require.Equal(t, "6", text(t, pool, "SELECT sum(age)::text FROM t"))
	})

	t.Run("a connection that died in the pool is no matter", func(t *testing.T) {
		t.Parallel()
		pool := pgtest.New(t, nil)
		killer := pgtest.New(t, nil)
		pid := text(t, pool, "SELECT pg_backend_pid()::text")
		require.Equal(t, "true", text(t, killer, "SELECT pg_terminate_backend("+pid+", 5000)::text"))
		require.NoError(t, pg.InTx(t.Context(), pool, func(pgx.Tx) error { return nil }))
	})

	t.Run("three times at most", func(t *testing.T) {
		t.Parallel()
		pool := pgtest.New(t, nil)
		tries := 0
		err := pg.InTx(t.Context(), pool, func(pgx.Tx) error { tries++; return &pgconn.PgError{Code: "40001"} })
		require.ErrorIs(t, err, errs.Unavailable)
		require.Equal(t, 3, tries)
	})
}

func TestMigrate(t *testing.T) {
	t.Parallel()

	t.Run("five at once", func(t *testing.T) {
		t.Parallel()
		pool := pgtest.Open(t, emptyDatabase(t))
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if err := pg.Migrate(t.Context(), pool, schema()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.Equal(t, "0", text(t, pool, "SELECT count(*)::text FROM t"))
		require.Equal(t, "1", text(t, pool, "SELECT count(*)::text FROM service_migrations WHERE version_id = 1"))
		require.Equal(t, "0", text(t, pool, "SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"))
	})

	t.Run("resumes after a file that failed", func(t *testing.T) {
		t.Parallel()
		pool := pgtest.Open(t, emptyDatabase(t))
		files := schema()
		files["00002_bad.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE two (id integer);\nSELECT nonsense;\n")}
		require.Error(t, pg.Migrate(t.Context(), pool, files))
		require.Equal(t, "0", text(t, pool, "SELECT count(*)::text FROM t"), "the first file is in")
		files["00002_bad.sql"].Data = []byte("-- +goose Up\nCREATE TABLE two (id integer);\n")
		require.NoError(t, pg.Migrate(t.Context(), pool, files))
		require.Equal(t, "0", text(t, pool, "SELECT count(*)::text FROM two"))
	})

	t.Run("leaves what a newer build has made, when that is rolled back", func(t *testing.T) {
		t.Parallel()
		pool := pgtest.Open(t, emptyDatabase(t))
		newer := schema()
		newer["00002_more.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nALTER TABLE t ADD COLUMN more integer;\n")}
		require.NoError(t, pg.Migrate(t.Context(), pool, newer))
		_, err := pool.Exec(t.Context(), "INSERT INTO kit_migrations (version_id, is_applied) VALUES (99999, true)")
		require.NoError(t, err, "so has its kit")
		require.NoError(t, pg.Migrate(t.Context(), pool, schema()))
		require.Equal(t, "2", text(t, pool, "SELECT max(version_id)::text FROM service_migrations"))
		require.Equal(t, "0", text(t, pool, "SELECT count(more)::text FROM t"))
		require.NoError(t, pg.Migrate(t.Context(), pool, newer), "and the newer build comes again")
	})

	t.Run("gives up with its context while another migrates", func(t *testing.T) {
		t.Parallel()
		pool := pgtest.Open(t, emptyDatabase(t))
		held, err := pool.Acquire(t.Context())
		require.NoError(t, err)
		defer held.Release()
		_, err = held.Exec(t.Context(), "SELECT pg_advisory_lock(x'61747269756d'::bigint)")
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, pg.Migrate(ctx, pool, nil), errs.Unavailable)
	})

	t.Run("is not bounded by the statement timeout", func(t *testing.T) {
		t.Parallel()
		url := emptyDatabase(t)
		pool, err := pg.Open(t.Context(), pg.Config{URL: url, StatementTimeout: 500 * time.Millisecond}, nil)
		require.NoError(t, err)
		defer pool.Close()
		slow := fstest.MapFS{"00001_slow.sql": {Data: []byte("-- +goose Up\nSELECT pg_sleep(0.7);\n")}}
		require.NoError(t, pg.Migrate(t.Context(), pool, slow))
	})
}

// emptyDatabase is a new one in which nothing has been migrated.
func emptyDatabase(t *testing.T) string {
	t.Helper()
	url := pgtest.NewURL(t, nil)
	pool := pgtest.Open(t, url)
	_, err := pool.Exec(t.Context(), "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
	require.NoError(t, err)
	return url
}

func text(t *testing.T, pool *pgxpool.Pool, query string) string {
	t.Helper()
	var out string
	require.NoError(t, pool.QueryRow(t.Context(), query).Scan(&out))
	return strings.TrimSpace(out)
}
