package tasks

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"
)

// PurgeArgs is the daily removal of what has been kept long enough.
type PurgeArgs struct{}

// Kind is River's.
func (PurgeArgs) Kind() string { return "purge" }

// InsertOpts are River's.
func (PurgeArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: QueueHouse, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: unfinished()}}
}

// Purger removes what is older than an instant, at most so many rows, and returns how many it removed.
type Purger func(ctx context.Context, before time.Time, most int32) (int64, error)

// Purge removes what has been kept long enough.
type Purge struct {
	river.WorkerDefaults[PurgeArgs]
	Notifications    Purger
	Deliveries       Purger
	Sends            Purger
	Unregistered     Purger
	IdempotencyKeys  func(ctx context.Context) (int64, error)
	NotificationsFor time.Duration
	DeliveriesFor    time.Duration
	Clock            func() time.Time
}

// unregisteredFor is how long a recipient waits for the registration: longer than events are kept to be sent again (7 days), and long enough
// to mend what has made a dead letter of it.
const unregisteredFor = 30 * 24 * time.Hour

// purgeBatch bounds how long a statement holds its locks.
const purgeBatch = 5000

// Timeout gives it an hour: the first purge may have much to do.
func (*Purge) Timeout(*river.Job[PurgeArgs]) time.Duration { return time.Hour }

// Work purges.
func (p *Purge) Work(ctx context.Context, _ *river.Job[PurgeArgs]) error {
	now := p.Clock()
	for name, part := range map[string]struct {
		purge  Purger
		before time.Time
	}{
		"notifications": {p.Notifications, now.Add(-p.NotificationsFor)},
		"deliveries":    {p.Deliveries, now.Add(-p.DeliveriesFor)},
		"sends":         {p.Sends, now.Add(-p.DeliveriesFor)},
		"unregistered":  {p.Unregistered, now.Add(-unregisteredFor)},
	} {
		if err := purgeAll(ctx, part.purge, part.before); err != nil {
			return fmt.Errorf("purge %s: %w", name, err)
		}
	}
	if _, err := p.IdempotencyKeys(ctx); err != nil {
		return fmt.Errorf("purge idempotency keys: %w", err)
	}
	return nil
}

func purgeAll(ctx context.Context, purge Purger, before time.Time) error {
	for {
		n, err := purge(ctx, before, purgeBatch)
		if err != nil || n < purgeBatch {
			return err
		}
	}
}

// Periodic is what runs by the clock.
func Periodic() []*river.PeriodicJob {
	daily := func() (river.JobArgs, *river.InsertOpts) { return PurgeArgs{}, nil }
	tickets := func() (river.JobArgs, *river.InsertOpts) { return PruneTicketsArgs{}, nil }
	return []*river.PeriodicJob{
		river.NewPeriodicJob(river.PeriodicInterval(24*time.Hour), daily, &river.PeriodicJobOpts{RunOnStart: true}),
		river.NewPeriodicJob(river.PeriodicInterval(pruneTicketsEvery), tickets, &river.PeriodicJobOpts{RunOnStart: true}),
	}
}
