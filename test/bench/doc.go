// Package bench measures a whole mesh of real processes on this machine, PostgreSQL with its syncs on: what goes through the gateway
// beside the same request sent straight to the service, signing in, refreshing, reading and listing a million users, deliveries, and
// what everything costs when it idles. `make bench` runs it and writes docs/benchmarks.md.
//
// The load comes from this process and shares the machine with what it measures, so the numbers are a floor.
package bench
