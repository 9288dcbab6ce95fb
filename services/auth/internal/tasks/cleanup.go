package tasks

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"github.com/atrium-mesh/atrium/pkg/jobs"
)

const cleanupEvery = 15 * time.Minute

// Cleanup is the job that deletes what has expired.
type Cleanup struct{}

// Kind names the job. It must never change.
func (Cleanup) Kind() string { return "auth.cleanup" }

// CleanupWorker works [Cleanup].
type CleanupWorker struct {
	river.WorkerDefaults[Cleanup]
	Cleaner *jobs.Cleaner
}

// Work cleans; when something fails the job is tried again.
func (w *CleanupWorker) Work(ctx context.Context, _ *river.Job[Cleanup]) error {
	return w.Cleaner.Clean(ctx)
}

// Periodic is when the jobs run: at start, and from then on every quarter of an hour, whichever replica is River's leader.
func Periodic() []*river.PeriodicJob {
	return []*river.PeriodicJob{river.NewPeriodicJob(river.PeriodicInterval(cleanupEvery),
		func() (river.JobArgs, *river.InsertOpts) {
			return Cleanup{}, &river.InsertOpts{UniqueOpts: river.UniqueOpts{ByPeriod: cleanupEvery}}
		}, &river.PeriodicJobOpts{ID: "cleanup", RunOnStart: true})}
}

// Queues are those that the jobs are worked from.
func Queues() map[string]river.QueueConfig {
	return map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 2}}
}
