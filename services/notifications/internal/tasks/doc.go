// Package tasks owns the background work of notifications: one file for each kind of job, with what it is given and its worker.
package tasks

import "github.com/riverqueue/river/rivertype"

// The queues, each with workers of its own, so that none waits for another.
const (
	QueueMail  = "mail"
	QueueSends = "sends"
	QueueHouse = "house"
)

// unfinished are the states in which a job will run again or runs: in them there is at most one of a kind for the same thing.
func unfinished() []rivertype.JobState {
	return []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
	}
}
