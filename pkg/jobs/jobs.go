package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/atrium-mesh/atrium/pkg/pg"
)

// Config is what a Runner is made of. Pool, Workers and Queues are required.
type Config struct {
	Pool     *pgxpool.Pool
	Replica  string // what this process has been called before a restart, too; "": the host's name. At most 91 bytes
	Workers  *river.Workers
	Queues   map[string]river.QueueConfig
	Periodic []*river.PeriodicJob
	Retry    river.ClientRetryPolicy // nil: River's own
	Timeout  time.Duration           // for one run of a job; 0: a minute
	Tracer   trace.TracerProvider
	Meter    metric.MeterProvider // nil: none
	Logger   *slog.Logger
}

// Runner works a service's jobs. It is a lifecycle component that needs the service's database. While it works it holds one connection
// beside those of the pool.
type Runner struct {
	client   *river.Client[pgx.Tx]
	pool     *pgxpool.Pool
	presence *presence
	metrics  *queueMetrics
}

const (
	defaultTimeout = time.Minute
	pollInterval   = 500 * time.Millisecond // River listens for new jobs; this is for what it missed
	stuckAfter     = 5 * time.Minute        // a running job that nobody has taken over until then is River's rescuer's
	migrateLock    = 0x72697665             // "rive"
	unlockWithin   = 2 * time.Second
)

// New makes a runner. It connects to nothing.
func New(c Config) (*Runner, error) {
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.Replica == "" {
		c.Replica, _ = os.Hostname() // without a name too, the random part of the identity is enough for others to take over
	}
	here := newPresence(c.Pool, c.Replica, c.Logger)
	metrics, err := newQueueMetrics(c)
	if err != nil {
		return nil, fmt.Errorf("make the job runner: %w", err)
	}
	client, err := river.NewClient(riverpgxv5.New(c.Pool), &river.Config{
		Workers: c.Workers, Queues: c.Queues, PeriodicJobs: c.Periodic, RetryPolicy: c.Retry, JobTimeout: c.Timeout,
		FetchPollInterval: pollInterval, FetchCooldown: 10 * time.Millisecond, RescueStuckJobsAfter: max(stuckAfter, 2*c.Timeout),
		ID: here.id, Logger: slog.New(quiet{c.Logger.Handler()}),
		Middleware: []rivertype.Middleware{&tracing{tracer: c.Tracer.Tracer("atrium/jobs")}, &fence{here}, metrics},
	})
	if err != nil {
		return nil, fmt.Errorf("make the job runner: %w", err)
	}
	return &Runner{client: client, pool: c.Pool, presence: here, metrics: metrics}, nil
}

// Start brings River's tables up to date and begins to work. After an error nothing of it runs: it may be called again.
func (r *Runner) Start(ctx context.Context) error {
	if err := Migrate(ctx, r.pool); err != nil {
		return err
	}
	if err := r.metrics.start(); err != nil {
		return fmt.Errorf("measure the jobs: %w", err)
	}
	if err := r.presence.start(ctx); err != nil {
		r.metrics.stop()
		return err
	}
	if err := r.client.Start(context.WithoutCancel(ctx)); err != nil {
		r.presence.stop()
		r.metrics.stop()
		return fmt.Errorf("start the job runner: %w", err)
	}
	return nil
}

// Stop takes no new jobs and waits for those that run; when ctx ends it cancels them, and they are run again later.
func (r *Runner) Stop(ctx context.Context) error {
	defer r.presence.stop()
	r.metrics.stop()
	soft, cancel := context.WithTimeout(ctx, stopWithin(ctx))
	defer cancel()
	if err := r.client.Stop(soft); err == nil || !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return r.client.StopAndCancel(ctx)
}

// stopWithin leaves a quarter of the time for cancelled jobs to return.
func stopWithin(ctx context.Context) time.Duration {
	d, ok := ctx.Deadline()
	if !ok {
		return defaultTimeout
	}
	return time.Until(d) * 3 / 4
}

// Insert adds a job in tx: it is worked when tx commits, and never when it does not.
func (r *Runner) Insert(ctx context.Context, tx pgx.Tx, args river.JobArgs, opts *river.InsertOpts) (*rivertype.JobInsertResult, error) {
	result, err := r.client.InsertTx(ctx, tx, args, opts)
	if err != nil {
		return nil, fmt.Errorf("insert job %s: %w", args.Kind(), pg.Err(err))
	}
	return result, nil
}

// Client is River's own client, for what Runner does not offer: subscriptions, looking at jobs.
func (r *Runner) Client() *river.Client[pgx.Tx] { return r.client }

// Migrate brings River's tables up to date. Processes that start together wait for each other.
func Migrate(ctx context.Context, pool *pgxpool.Pool) error {
	m, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("migrate the job tables: %w", err)
	}
	if have, err := m.ExistingVersions(ctx); err == nil && len(have) == len(m.AllVersions()) {
		return nil
	}
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("migrate the job tables: %w", pg.Err(err))
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", migrateLock); err != nil {
		return fmt.Errorf("migrate the job tables: %w", pg.Err(err))
	}
	defer unlock(ctx, conn)
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil { // each version is a transaction of its own
		return fmt.Errorf("migrate the job tables: %w", pg.Err(err))
	}
	return nil
}

// unlock lets the next process migrate. A connection that cannot is closed, which unlocks as well.
func unlock(ctx context.Context, conn *pgxpool.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockWithin)
	defer cancel()
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_unlock($1)", migrateLock); err != nil {
		_ = conn.Conn().Close(ctx)
	}
}

// quiet passes on what an operator has to know: River says a good deal at info.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && q.Handler.Enabled(ctx, level)
}

func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }
func (q quiet) WithGroup(name string) slog.Handler       { return quiet{q.Handler.WithGroup(name)} }
