// Package jobs owns background work inside a service: River on the service's own database, so that a job is inserted in the
// transaction that causes it. The trace that a job was inserted in goes on in its worker: its context is kept in the job's metadata.
//
// A job of a process that was killed is run again by another within seconds. Each Runner that works has an identity, its replica's
// name and a random part of its own ("pod-1@k3v9q2ma"), under which River writes down who runs a job. While it lives it holds a shared
// advisory lock of that identity, on a connection of its own; PostgreSQL lets go of it when the session ends. Every two seconds it
// looks, on the same connection, for running jobs whose runner has no lock:
//
//	running, lock held ──lock gone──▶ seen missing ──still missing for 10 s──▶ available ──▶ run by another
//	        ▲                              │
//	        └───────lock taken again───────┘
//
// A runner that lives is not robbed: it notices the loss of its connection at once and takes the lock again, on a new one, within
// milliseconds. When it cannot prove for 8 s that it holds the lock, it cancels what it runs and begins nothing, before others may take it.
// What the replica itself ran before a restart is taken back without waiting.
//
// Runners of versions before this held no lock; their jobs, which bear a name without the random part, are left to River's rescuer.
package jobs
