package tasks

import (
	"context"
	"time"

	"github.com/riverqueue/river"
)

// PruneTicketsArgs is the removal of tickets that nobody used.
type PruneTicketsArgs struct{}

// pruneTicketsEvery is how long such tickets stay at most; their holder's next one removes them before.
const pruneTicketsEvery = 10 * time.Minute

// Kind is River's.
func (PruneTicketsArgs) Kind() string { return "prune_tickets" }

// InsertOpts are River's.
func (PruneTicketsArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: QueueHouse, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: unfinished()}}
}

// PruneTickets removes them.
type PruneTickets struct {
	river.WorkerDefaults[PruneTicketsArgs]
	Prune func(ctx context.Context) error
}

// Work prunes.
func (p *PruneTickets) Work(ctx context.Context, _ *river.Job[PruneTicketsArgs]) error {
	return p.Prune(ctx)
}
