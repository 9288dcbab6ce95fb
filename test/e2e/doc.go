// Package e2e owns the tests that see Atrium as its clients do: through the gateway, against real processes (package mesh starts
// them), with mail read from the inbox. Besides the gateway they touch only what an operator does: processes are killed, PostgreSQL
// and NATS are taken away, readiness is asked, and after the kills the databases are counted.
//
//	go test ./test/e2e/ -run TestStory -v            one test
//	ATRIUM_E2E_RACE=1 go test ./test/e2e/            the services built with the race detector
//	ATRIUM_E2E_BIN=$PWD/bin go test ./test/e2e/           programs that are there already, by an absolute path
//	ATRIUM_E2E_LOGS=1 go test ./test/e2e/ -run …     the services' whole logs, also of a test that passes
package e2e
