// Package pglocal runs PostgreSQL as a child process: it finds or installs the binaries, makes the data folder, starts the server
// and stops it. `atrium up` and the tests use it; a cluster's database is somebody else's.
//
// The server must not outlive the process that started it, also when that is killed. So a small shell stands between the two:
//
//	this process ──stdin──▶ sh (guard) ──▶ postgres
//
// The guard reads a pipe that only this process holds. When it closes, for whatever reason, the guard asks postgres for a fast shutdown
// (and removes the folder of an ephemeral server). Should the guard be killed as well, the next Start stops the postgres that was
// left and removes a stale postmaster.pid.
//
// PostgreSQL refuses to run as root. A root process runs it as the user postgres (or nobody) where that user can reach the folder and
// the binaries; else in a user namespace in which root has another number (Linux); else it puts the data into /var/lib and
// leaves a link to it.
package pglocal
