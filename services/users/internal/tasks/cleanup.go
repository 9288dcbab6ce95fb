package tasks

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"github.com/atrium-mesh/atrium/pkg/idempotency"
)

// CleanupArgs asks to forget what is no longer needed.
type CleanupArgs struct{}

// Kind is River's name of the job.
func (CleanupArgs) Kind() string { return "cleanup" }

// Cleanup forgets idempotency keys that are too old to matter.
type Cleanup struct {
	river.WorkerDefaults[CleanupArgs]
	Pool *pgxpool.Pool
}

// Work forgets them.
func (w *Cleanup) Work(ctx context.Context, _ *river.Job[CleanupArgs]) error {
	_, err := idempotency.Cleanup(ctx, w.Pool)
	return err
}
