package tasks

import (
	"context"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
)

// AnnounceArgs is somebody whose open streams are to be told that there is something new. It is for a transaction that somebody else
// commits: the job runs when that has happened.
type AnnounceArgs struct {
	RecipientID uuid.UUID `json:"recipient_id"`
}

// Kind is River's.
func (AnnounceArgs) Kind() string { return "announce" }

// InsertOpts are River's.
func (AnnounceArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: QueueHouse} }

// Announce tells streams.
type Announce struct {
	river.WorkerDefaults[AnnounceArgs]
	To func(ctx context.Context, recipients ...uuid.UUID)
}

// Work announces.
func (a *Announce) Work(ctx context.Context, job *river.Job[AnnounceArgs]) error {
	a.To(ctx, job.Args.RecipientID)
	return nil
}
