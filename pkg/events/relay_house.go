package events

import (
	"context"
	"fmt"
	"time"

	"github.com/atrium-mesh/atrium/pkg/pg"
)

const (
	measureEvery = 5 * time.Second
	cleanEvery   = time.Hour
	cleanChunk   = 5000
	countAtMost  = 100_000 // beyond that the number does not matter, and counting costs
)

// keepHouse measures how far the relay is behind and deletes old rows, on the pool, so that it works while NATS is away.
func (r *Relay) keepHouse(ctx context.Context) {
	defer r.metrics.lag.Store(nil) // who does not lead has nothing to say
	var cleaned time.Time
	for ctx.Err() == nil {
		if err := r.measure(ctx); err != nil && ctx.Err() == nil {
			r.logger.WarnContext(ctx, "cannot measure the outbox", "error", err)
		}
		if time.Since(cleaned) > cleanEvery {
			if err := r.clean(ctx); err != nil && ctx.Err() == nil {
				r.logger.WarnContext(ctx, "cannot delete old events from the outbox", "error", err)
			}
			cleaned = time.Now()
		}
		pauseFor(ctx, measureEvery)
	}
}

func (r *Relay) measure(ctx context.Context) error {
	var l lag
	err := r.cfg.Pool.QueryRow(ctx, `
SELECT (SELECT count(*) FROM (SELECT FROM outbox WHERE published_at IS NULL LIMIT $1) AS pending),
       coalesce((SELECT extract(epoch FROM clock_timestamp() - time) FROM outbox WHERE published_at IS NULL ORDER BY seq LIMIT 1), 0)::float8,
       (SELECT coalesce(jsonb_object_agg(type, n), '{}') FROM (
            SELECT type, count(*) AS n FROM (SELECT type FROM dead_letters WHERE resolved_at IS NULL LIMIT $1) AS dead GROUP BY type) AS by_type)`,
		countAtMost).Scan(&l.events, &l.oldest, &l.dead)
	if err != nil {
		return fmt.Errorf("measure the outbox: %w", pg.Err(err))
	}
	l.oldest = max(l.oldest, 0)
	r.metrics.lag.Store(&l)
	return nil
}

// clean deletes, in short transactions, what was published longer ago than the retention.
func (r *Relay) clean(ctx context.Context) error {
	for {
		tag, err := r.cfg.Pool.Exec(ctx, `
DELETE FROM outbox WHERE seq IN (
	SELECT seq FROM outbox WHERE published_at < now() - $1::interval LIMIT $2)`, r.cfg.Retention, cleanChunk)
		if err != nil {
			return fmt.Errorf("delete old events: %w", pg.Err(err))
		}
		if tag.RowsAffected() < cleanChunk {
			return nil
		}
	}
}
