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
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	noopmetric "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/atrium-mesh/atrium/pkg/jobs"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
)

// moody ends its run as the job's name says.
type moody struct {
	river.WorkerDefaults[greetArgs]
}

func (moody) Work(_ context.Context, job *river.Job[greetArgs]) error {
	switch job.Args.Name {
	case "later":
		return river.JobSnooze(time.Hour)
	case "fail":
		return errors.New("no")
	default:
		return nil
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t, nil)
	reader := sdkmetric.NewManualReader()
	workers := river.NewWorkers()
	river.AddWorker(workers, moody{})
	r, err := jobs.New(jobs.Config{
		Pool: pool, Workers: workers, Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 2}, "idle": {MaxWorkers: 1}},
		Tracer: noop.NewTracerProvider(), Meter: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)), Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, r.Stop(context.WithoutCancel(t.Context()))) })
	insert := func(name string, opts *river.InsertOpts) {
		require.NoError(t, pg.InTx(t.Context(), pool, func(tx pgx.Tx) error {
			_, err := r.Insert(t.Context(), tx, greetArgs{Name: name}, opts)
			return err
		}))
	}
	for _, name := range []string{"done", "done", "later", "fail"} {
		insert(name, nil)
	}
	require.Eventually(t, func() bool {
		return value(t, reader, "atrium.jobs.duration", "outcome", "done") == 2 &&
			value(t, reader, "atrium.jobs.duration", "outcome", "later") == 1 && value(t, reader, "atrium.jobs.duration", "outcome", "failed") == 1
	}, 5*time.Second, 10*time.Millisecond)
	require.Zero(t, value(t, reader, "atrium.jobs.due", "queue", "idle"), "what is put off is not due")

	_, err = pool.Exec(t.Context(), `INSERT INTO river_job (kind, queue, args, max_attempts, state, scheduled_at, finalized_at) VALUES
		('greet', 'idle', '{}', 25, 'retryable', now() - interval '90 s', NULL), ('greet', 'idle', '{}', 25, 'discarded', now(), now())`)
	require.NoError(t, err)
	require.InDelta(t, 1, value(t, reader, "atrium.jobs.discarded", "queue", "idle"), 0)
	require.GreaterOrEqual(t, value(t, reader, "atrium.jobs.oldest", "queue", "idle"), 0.0)
}

// reluctant is a meter that registers no callback the first time.
type reluctant struct {
	noopmetric.Meter
	asked atomic.Int32
}

func (r *reluctant) RegisterCallback(metric.Callback, ...metric.Observable) (metric.Registration, error) {
	if r.asked.Add(1) == 1 {
		return nil, errors.New("not now")
	}
	return noopmetric.Registration{}, nil
}

type reluctantProvider struct {
	noopmetric.MeterProvider
	meter *reluctant
}

func (p reluctantProvider) Meter(string, ...metric.MeterOption) metric.Meter { return p.meter }

func TestRunner_starts_again_after_it_could_not_be_measured(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t, nil)
	worker := &greet{done: make(chan string, 1)}
	workers := river.NewWorkers()
	river.AddWorker(workers, worker)
	r, err := jobs.New(jobs.Config{
		Pool: pool, Workers: workers, Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 1}},
		Tracer: noop.NewTracerProvider(), Meter: reluctantProvider{meter: &reluctant{}}, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	require.ErrorContains(t, r.Start(t.Context()), "not now")
	var locks int
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`).Scan(&locks))
	require.Zero(t, locks, "nobody sees a runner that did not start")

	require.NoError(t, r.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, r.Stop(context.WithoutCancel(t.Context()))) })
	require.NoError(t, pg.InTx(t.Context(), pool, func(tx pgx.Tx) error {
		_, err := r.Insert(t.Context(), tx, greetArgs{Name: "ada"}, nil)
		return err
	}))
	require.Equal(t, "ada", <-worker.done)
}

// value is that of the point with an attribute (of a histogram, its count), or -1 when there is none.
func value(t *testing.T, reader sdkmetric.Reader, name, key, want string) float64 {
	t.Helper()
	var data metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &data))
	has := func(set attribute.Set) bool {
		v, ok := set.Value(attribute.Key(key))
		return ok && v.AsString() == want
	}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name != name {
				continue
			}
			switch points := m.Data.(type) {
			case metricdata.Gauge[int64]:
				for _, p := range points.DataPoints {
					if has(p.Attributes) {
						return float64(p.Value)
					}
				}
			case metricdata.Gauge[float64]:
				for _, p := range points.DataPoints {
					if has(p.Attributes) {
						return p.Value
					}
				}
			case metricdata.Histogram[float64]:
				for _, p := range points.DataPoints {
					if has(p.Attributes) {
						return float64(p.Count)
					}
				}
			}
		}
	}
	return -1
}
