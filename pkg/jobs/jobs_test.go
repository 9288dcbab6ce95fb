package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/atrium-mesh/atrium/pkg/jobs"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
	"github.com/atrium-mesh/atrium/pkg/telemetry/telemetrytest"
)

type greetArgs struct{ Name string }

func (greetArgs) Kind() string { return "greet" }

type greet struct {
	river.WorkerDefaults[greetArgs]
	done chan string
	fail atomic.Int32 // how many runs fail first
}

func (g *greet) Work(_ context.Context, job *river.Job[greetArgs]) error {
	if g.fail.Add(-1) >= 0 {
		return errors.New("not yet")
	}
	g.done <- job.Args.Name
	return nil
}

// now retries at once.
type now struct{}

func (now) NextRetry(*rivertype.JobRow) time.Time { return time.Now() }

func TestRunner(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t, nil)
	spans := telemetrytest.New(t)
	tel := spans.Telemetry("things")
	worker := &greet{done: make(chan string, 8)}
	worker.fail.Store(2)
	workers := river.NewWorkers()
	river.AddWorker(workers, worker)
	r, err := jobs.New(jobs.Config{
		Pool: pool, Workers: workers, Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 2}},
		Retry: now{}, Tracer: tel.Tracer, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, r.Stop(context.WithoutCancel(t.Context()))) })

	errRolledBack := errors.New("rolled back")
	err = pg.InTx(t.Context(), pool, func(tx pgx.Tx) error {
		_, err := r.Insert(t.Context(), tx, greetArgs{Name: "nobody"}, nil)
		require.NoError(t, err)
		return errRolledBack
	})
	require.ErrorIs(t, err, errRolledBack)

	ctx, span := tel.Tracer.Tracer("test").Start(t.Context(), "request")
	require.NoError(t, pg.InTx(ctx, pool, func(tx pgx.Tx) error {
		_, err := r.Insert(ctx, tx, greetArgs{Name: "ada"}, &river.InsertOpts{Metadata: []byte(`{"mine":1}`)})
		return err
	}))
	span.End()
	require.Equal(t, "ada", <-worker.done)
	require.Eventually(t, func() bool { return spans.Tree(span.SpanContext().TraceID()).Has("request", "job greet") }, 5*time.Second, 10*time.Millisecond,
		"the job goes on with the trace that it was inserted in")
}

func TestMigrateTogether(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t, nil)
	var g errgroup.Group
	for range 5 {
		g.Go(func() error { return jobs.Migrate(t.Context(), pool) })
	}
	require.NoError(t, g.Wait())
	require.NoError(t, jobs.Migrate(t.Context(), pool))
}
