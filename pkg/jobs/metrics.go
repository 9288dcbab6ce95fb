package jobs

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

// The outcomes of a run.
const (
	outcomeDone   = "done"
	outcomeLater  = "later" // the worker asked for another run, such as for a mail server that is busy
	outcomeFailed = "failed"
)

// measureWithin bounds what a scrape waits for the database.
const measureWithin = time.Second

// queueMetrics are what a runner tells of its work: of each run how long it took, and of each queue what waits in it, as the database
// says at every scrape. Every replica tells the same of a queue.
type queueMetrics struct {
	river.MiddlewareDefaults
	pool     *pgxpool.Pool
	queues   []string
	duration metric.Float64Histogram

	due, discarded metric.Int64ObservableGauge
	oldest         metric.Float64ObservableGauge
	meter          metric.Meter
	registration   metric.Registration
}

func newQueueMetrics(c Config) (*queueMetrics, error) {
	if c.Meter == nil {
		c.Meter = noop.NewMeterProvider()
	}
	m := &queueMetrics{pool: c.Pool, meter: c.Meter.Meter("atrium/jobs")}
	for name := range c.Queues {
		m.queues = append(m.queues, name)
	}
	slices.Sort(m.queues)
	var err [4]error
	m.duration, err[0] = m.meter.Float64Histogram("atrium.jobs.duration", metric.WithUnit("s"),
		metric.WithDescription("How long runs of jobs take, by kind and outcome."),
		metric.WithExplicitBucketBoundaries(.01, .05, .1, .5, 1, 5, 10, 30, 60, 300))
	m.due, err[1] = m.meter.Int64ObservableGauge("atrium.jobs.due",
		metric.WithDescription("Jobs whose time has come and that nobody works."))
	m.discarded, err[2] = m.meter.Int64ObservableGauge("atrium.jobs.discarded",
		metric.WithDescription("Jobs that were given up and are still kept."))
	m.oldest, err[3] = m.meter.Float64ObservableGauge("atrium.jobs.oldest", metric.WithUnit("s"),
		metric.WithDescription("How long the oldest of the jobs whose time has come has waited."))
	return m, errors.Join(err[:]...)
}

// Work is rivertype.WorkerMiddleware's.
func (m *queueMetrics) Work(ctx context.Context, job *rivertype.JobRow, next func(context.Context) error) error {
	start := time.Now()
	err := next(ctx)
	outcome := outcomeDone
	if _, snoozed := errors.AsType[*river.JobSnoozeError](err); snoozed {
		outcome = outcomeLater
	} else if err != nil {
		outcome = outcomeFailed
	}
	m.duration.Record(ctx, time.Since(start).Seconds(), metric.WithAttributes(
		attribute.String("kind", job.Kind), attribute.String("outcome", outcome)))
	return err
}

func (m *queueMetrics) start() (err error) {
	m.registration, err = m.meter.RegisterCallback(m.observe, m.due, m.discarded, m.oldest)
	return err
}

// stop ends the measuring; it cannot fail for a registration of the SDK's own.
func (m *queueMetrics) stop() {
	if m.registration != nil {
		_ = m.registration.Unregister()
	}
}

// queueState is what waits in a queue.
type queueState struct {
	Queue          string
	Due, Discarded int64
	Oldest         float64 // seconds
}

const measureSQL = `
SELECT q.name,
       count(*) FILTER (WHERE j.state <> 'discarded'), count(*) FILTER (WHERE j.state = 'discarded'),
       coalesce(extract(epoch FROM now() - min(j.scheduled_at) FILTER (WHERE j.state <> 'discarded')), 0)::float8
FROM unnest($1::text[]) AS q (name)
LEFT JOIN river_job j ON j.queue = q.name
     AND (j.state = 'discarded' OR j.state IN ('available', 'retryable', 'scheduled') AND j.scheduled_at <= now())
GROUP BY q.name`

// observe says nothing while the database is away: that has alarms of its own.
func (m *queueMetrics) observe(ctx context.Context, o metric.Observer) error {
	ctx, cancel := context.WithTimeout(ctx, measureWithin)
	defer cancel()
	rows, err := m.pool.Query(ctx, measureSQL, m.queues)
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	states, err := pgx.CollectRows(rows, pgx.RowToStructByPos[queueState])
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	for _, s := range states {
		queue := metric.WithAttributes(attribute.String("queue", s.Queue))
		o.ObserveInt64(m.due, s.Due, queue)
		o.ObserveInt64(m.discarded, s.Discarded, queue)
		o.ObserveFloat64(m.oldest, s.Oldest, queue)
	}
	return nil
}
