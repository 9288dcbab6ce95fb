package tasks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

const (
	cleanupEvery = 15 * time.Minute
	cleanupBatch = 1000 // rows of one statement, so that no lock is held for long
)

// Cleanup is the job that deletes what has expired.
type Cleanup struct{}

// Kind names the job. It must never change.
func (Cleanup) Kind() string { return "auth.cleanup" }

// Expiring is one kind of row that expires.
type Expiring struct {
	Name string
	Keep time.Duration // how much longer than its life a row is kept
	// Delete deletes at most limit rows that expired before an instant, and says how many.
	Delete func(ctx context.Context, before time.Time, limit int32) (int64, error)
	// Count is how many there are; nil: it is not measured.
	Count func(ctx context.Context) (int64, error)
}

// CleanupWorker works [Cleanup].
type CleanupWorker struct {
	river.WorkerDefaults[Cleanup]
	kinds  []Expiring
	clock  func() time.Time
	logger *slog.Logger
	rows   metric.Int64Gauge
}

// NewCleanupWorker makes the worker. A nil clock is time.Now; without a provider nothing is measured.
func NewCleanupWorker(kinds []Expiring, clock func() time.Time, logger *slog.Logger, provider metric.MeterProvider) (*CleanupWorker, error) {
	if clock == nil {
		clock = time.Now
	}
	if provider == nil {
		provider = noop.NewMeterProvider()
	}
	rows, err := provider.Meter("atrium/auth").Int64Gauge("atrium.auth.rows",
		metric.WithDescription("Rows of what strangers can make grow, after the last clean-up."))
	if err != nil {
		return nil, fmt.Errorf("measure what grows: %w", err)
	}
	return &CleanupWorker{kinds: kinds, clock: clock, logger: logger, rows: rows}, nil
}

// Work deletes what has expired, a batch at a time. What fails does not keep the rest from being done; the job is tried again.
func (w *CleanupWorker) Work(ctx context.Context, _ *river.Job[Cleanup]) error {
	var failures []error
	for _, kind := range w.kinds {
		n, err := w.delete(ctx, kind)
		if err != nil {
			failures = append(failures, fmt.Errorf("clean up %s: %w", kind.Name, err))
		}
		if n > 0 {
			w.logger.InfoContext(ctx, "expired rows deleted", "kind", kind.Name, "rows", n)
		}
		if err := w.measure(ctx, kind); err != nil {
			failures = append(failures, fmt.Errorf("count %s: %w", kind.Name, err))
		}
	}
	return errors.Join(failures...)
}

func (w *CleanupWorker) measure(ctx context.Context, kind Expiring) error {
	if kind.Count == nil {
		return nil
	}
	n, err := kind.Count(ctx)
	if err == nil {
		w.rows.Record(ctx, n, metric.WithAttributes(attribute.String("kind", kind.Name)))
	}
	return err
}

func (w *CleanupWorker) delete(ctx context.Context, kind Expiring) (total int64, err error) {
	before := w.clock().Add(-kind.Keep)
	for {
		n, err := kind.Delete(ctx, before, cleanupBatch)
		total += n
		if err != nil || n < cleanupBatch {
			return total, err
		}
	}
}

// Periodic is when the jobs run: at start, and from then on every quarter of an hour, whichever replica is River's leader.
func Periodic() []*river.PeriodicJob {
	return []*river.PeriodicJob{river.NewPeriodicJob(river.PeriodicInterval(cleanupEvery),
		func() (river.JobArgs, *river.InsertOpts) {
			return Cleanup{}, &river.InsertOpts{UniqueOpts: river.UniqueOpts{ByPeriod: cleanupEvery}}
		}, &river.PeriodicJobOpts{ID: "cleanup", RunOnStart: true})}
}

// Queues are those that the jobs are worked from.
func Queues() map[string]river.QueueConfig {
	return map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 2}}
}
