package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/atrium-mesh/atrium/pkg/pg"
)

const cleanBatch = 1000 // rows of one statement, so that no lock is held for long

// Expiring is one kind of row that grows, and mostly expires.
type Expiring struct {
	Name string        // of the table
	Keep time.Duration // how much longer than its life a row is kept
	// Delete deletes at most limit rows that expired before an instant, and says how many; nil: they are kept for ever.
	Delete func(ctx context.Context, before time.Time, limit int32) (int64, error)
	// Count is how many there are; nil: what the last ANALYZE says. To count many takes longer than to know is worth.
	Count func(ctx context.Context) (int64, error)
}

// CleanerConfig is what a [Cleaner] is made of.
type CleanerConfig struct {
	Service string // "auth": names the metric, atrium.auth.rows
	Kinds   []Expiring
	DB      pg.DBTX              // for kinds without a Count; nil: those are not measured
	Clock   func() time.Time     // nil: time.Now
	Logger  *slog.Logger         // nil: silent
	Meter   metric.MeterProvider // nil: nothing is measured
}

// Cleaner deletes what has expired, and measures what is left. A service has one, and a periodic job that runs it.
type Cleaner struct {
	CleanerConfig
	rows metric.Int64Gauge
}

// NewCleaner makes a cleaner.
func NewCleaner(c CleanerConfig) (*Cleaner, error) {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Meter == nil {
		c.Meter = noop.NewMeterProvider()
	}
	rows, err := c.Meter.Meter("atrium/jobs").Int64Gauge("atrium."+c.Service+".rows",
		metric.WithDescription("Rows of what grows by itself or by strangers, after the last clean-up."), metric.WithUnit("{row}"))
	if err != nil {
		return nil, fmt.Errorf("measure what grows: %w", err)
	}
	return &Cleaner{CleanerConfig: c, rows: rows}, nil
}

// Clean works a batch at a time. What fails does not keep the rest from being done.
func (c *Cleaner) Clean(ctx context.Context) error {
	var failures []error
	for _, kind := range c.Kinds {
		n, err := c.delete(ctx, kind)
		if err != nil {
			failures = append(failures, fmt.Errorf("clean up %s: %w", kind.Name, err))
		}
		if n > 0 {
			c.Logger.InfoContext(ctx, "expired rows deleted", "kind", kind.Name, "rows", n)
		}
		if err := c.measure(ctx, kind); err != nil {
			failures = append(failures, fmt.Errorf("count %s: %w", kind.Name, err))
		}
	}
	return errors.Join(failures...)
}

func (c *Cleaner) measure(ctx context.Context, kind Expiring) error {
	count := kind.Count
	if count == nil && c.DB != nil {
		count = func(ctx context.Context) (int64, error) { return c.estimate(ctx, kind.Name) }
	}
	if count == nil {
		return nil
	}
	n, err := count(ctx)
	if err == nil {
		c.rows.Record(ctx, n, metric.WithAttributes(attribute.String("kind", kind.Name)))
	}
	return err
}

// estimate is how many rows a table has, as PostgreSQL last saw it.
func (c *Cleaner) estimate(ctx context.Context, table string) (n int64, err error) {
	err = c.DB.QueryRow(ctx, "SELECT greatest(reltuples, 0)::bigint FROM pg_catalog.pg_class WHERE oid = $1::text::regclass", table).Scan(&n)
	return n, pg.Err(err)
}

func (c *Cleaner) delete(ctx context.Context, kind Expiring) (total int64, err error) {
	if kind.Delete == nil {
		return 0, nil
	}
	before := c.Clock().Add(-kind.Keep)
	for {
		n, err := kind.Delete(ctx, before, cleanBatch)
		total += n
		if err != nil || n < cleanBatch {
			return total, err
		}
	}
}
