// Package natsconn owns the connection to NATS: it is made without waiting for the server, comes back by itself for ever, and drains at
// the end. It also owns how trace context travels in NATS headers, and how a stream is made or brought up to date.
package natsconn
