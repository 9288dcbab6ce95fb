// Package service owns what every Atrium service is composed of and how its process runs.
//
// A service is a Definition. Main runs it as a program of its own; Run runs it inside another, which is how all
// services share one process in local mode. A definition's Build makes a Base, ties its operations to Base.Ops, adds
// its own components to Base.Group and returns that group:
//
//	start ▼  connection pool (lazy)                             ▲ stop
//	         NATS connection (reconnects for ever)
//	         admin port: /livez, /readyz, /metrics
//	         migrations (in the background, retried)
//	         relay of the outbox (once migrated)
//	         the service's own components: consumers, River …
//	         requests over NATS (once migrated)
//	         requests over HTTP (503 until migrated)
//	         drain: not ready, connections close after an answer, DRAIN_DELAY
//
// PostgreSQL and NATS may be away at any time, also at start: the process stays up, says that it is not ready, and
// recovers by itself.
package service
