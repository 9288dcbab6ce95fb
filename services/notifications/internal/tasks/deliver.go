package tasks

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
)

// DeliverArgs is one delivery to attempt, until it is settled.
type DeliverArgs struct {
	DeliveryID uuid.UUID `json:"delivery_id"`
	Round      int32     `json:"round,omitempty"` // how often it was replayed after it had been settled: each time is a job of its own
}

// Kind is River's.
func (DeliverArgs) Kind() string { return "deliver" }

// InsertOpts are River's.
func (DeliverArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: QueueMail, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: unfinished()}}
}

// Deliver attempts deliveries.
type Deliver struct {
	river.WorkerDefaults[DeliverArgs]
	// Attempt makes one attempt and says how long to wait for the next; 0 when the delivery is settled.
	Attempt func(ctx context.Context, id uuid.UUID) (time.Duration, error)
}

// Work makes an attempt. The delivery's own row counts attempts and decides on the next, so that a job is snoozed rather than failed:
// River's own retries are for when the database is away.
func (d *Deliver) Work(ctx context.Context, job *river.Job[DeliverArgs]) error {
	wait, err := d.Attempt(ctx, job.Args.DeliveryID)
	if err != nil {
		return err
	}
	if wait > 0 {
		return river.JobSnooze(wait)
	}
	return nil
}
