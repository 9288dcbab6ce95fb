package tasks

import (
	"context"

	"github.com/riverqueue/river"

	"github.com/atrium-mesh/atrium/pkg/jobs"
)

// CleanupArgs asks to forget what is no longer needed.
type CleanupArgs struct{}

// Kind is River's name of the job.
func (CleanupArgs) Kind() string { return "cleanup" }

// Cleanup forgets what is too old to matter: idempotency keys, and entries of the audit trail.
type Cleanup struct {
	river.WorkerDefaults[CleanupArgs]
	Cleaner *jobs.Cleaner
}

// Work forgets it; when something fails the job is tried again.
func (w *Cleanup) Work(ctx context.Context, _ *river.Job[CleanupArgs]) error {
	return w.Cleaner.Clean(ctx)
}
