// Package natstest gives a test a NATS server with JetStream of its own, in process.
package natstest

import (
	"testing"

	"github.com/nats-io/nats.go"
)

// Run starts a server that ends with the test and returns a connection to it.
func Run(t testing.TB) *nats.Conn { t.Helper(); t.Fatal("being built"); return nil }

// Server is a NATS server of one test, which may take it away and bring it back.
type Server struct{}

// StartServer starts a server with JetStream in a folder of the test, which ends with the test.
func StartServer(t testing.TB) *Server { t.Helper(); t.Fatal("being built"); return nil }

// URL stays the same after Stop and Start.
func (s *Server) URL() string { return "" }

// Connect returns a connection that reconnects for ever and is closed at the end of the test.
func (s *Server) Connect(t testing.TB) *nats.Conn { return nil }

// Stop takes the server away.
func (s *Server) Stop() {}

// Start brings it back on the same port, with its data.
func (s *Server) Start() {}
