package tasks

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
)

// FanOutArgs is one send to tell to its audience.
type FanOutArgs struct {
	SendID uuid.UUID `json:"send_id"`
}

// Kind is River's.
func (FanOutArgs) Kind() string { return "fan_out" }

// InsertOpts are River's.
func (FanOutArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: QueueSends, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: unfinished()}}
}

// FanOut tells sends to their audiences.
type FanOut struct {
	river.WorkerDefaults[FanOutArgs]
	// Batch tells the next batch and reports whether it was the last.
	Batch func(ctx context.Context, send uuid.UUID) (finished bool, err error)
}

// turn is how long a job goes on before it lets others have its worker, and a shutdown proceed.
const turn = 20 * time.Second

// Work tells batch after batch.
func (f *FanOut) Work(ctx context.Context, job *river.Job[FanOutArgs]) error {
	for begun := time.Now(); time.Since(begun) < turn; {
		finished, err := f.Batch(ctx, job.Args.SendID)
		if err != nil || finished {
			return err
		}
	}
	return river.JobSnooze(0)
}
