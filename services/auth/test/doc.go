// Package test holds the tests of auth as a black box: the real service over HTTP and NATS, on a real PostgreSQL and a real NATS.
package test
