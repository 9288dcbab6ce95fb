// Package local owns local mode: the whole mesh in one process, with the same code and the same configuration keys
// as in a cluster.
//
//	                 ┌──────────────── this process ───────────────┐
//	browser, curl ──▶│ gateway ──▶ auth, users, notifications      │
//	                 │  └ /dev ──▶ inbox, traces        │          │
//	                 │            SMTP sink ◀───────────┤          │
//	                 │            NATS (JetStream) ◀────┘          │
//	                 └──────────────────┬──────────────────────────┘
//	                                    └──▶ PostgreSQL, a child process
//
// Everything is kept in one folder:
//
//	lock         held while a mesh runs on the folder; says which
//	run.json     how to reach what runs, for the other commands of the CLI (0600)
//	secrets/     generated once, one file each (0600)
//	postgres/    the databases
//	nats/        the streams
//	inbox/       the mails
//	logs/        atrium.log
package local
