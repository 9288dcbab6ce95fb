// Package tasks owns the service's background work: River workers, one file each. They run on pkg/jobs, which migrates River's
// tables, carries the trace from the insert to the worker, and is a lifecycle component (base.AddWithDatabase("jobs", runner)).
package tasks
