// Package test tries the gateway as a black box: the whole service with its real composition, real NATS, signed tokens, and HTTP
// servers that stand for the services and register the real operations.
package test
