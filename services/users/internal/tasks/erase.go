// Package tasks owns the service's background work: River workers, one file each.
package tasks

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"github.com/atrium-mesh/atrium/services/users/internal/users"
)

const (
	eraseEvery = 10 * time.Minute
	eraseBatch = 100
)

// EraseArgs asks to erase the users whose grace period is over.
type EraseArgs struct{}

// Kind is River's name of the job.
func (EraseArgs) Kind() string { return "erase_users" }

// Erase erases users whose grace period is over.
type Erase struct {
	river.WorkerDefaults[EraseArgs]
	Users *users.Service
}

// Work erases batch after batch; each user is a transaction, so that a crash between them loses nothing.
func (w *Erase) Work(ctx context.Context, _ *river.Job[EraseArgs]) error {
	if _, err := w.Users.EraseDue(ctx, eraseBatch); err != nil {
		return fmt.Errorf("erase users: %w", err)
	}
	return nil
}

// Periodic are the jobs that come by themselves. River's leader inserts each once, whatever the number of replicas.
func Periodic() []*river.PeriodicJob {
	return []*river.PeriodicJob{
		river.NewPeriodicJob(river.PeriodicInterval(eraseEvery),
			func() (river.JobArgs, *river.InsertOpts) { return EraseArgs{}, nil }, &river.PeriodicJobOpts{RunOnStart: true}),
		river.NewPeriodicJob(river.PeriodicInterval(time.Hour),
			func() (river.JobArgs, *river.InsertOpts) { return CleanupArgs{}, nil }, &river.PeriodicJobOpts{RunOnStart: true}),
	}
}
