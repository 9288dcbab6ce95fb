package pgtest

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/atrium-mesh/atrium/pkg/pglocal"
)

// Server is a PostgreSQL server of one test, which may take it away and bring it back. It is not safe for concurrent use.
type Server struct {
	t       testing.TB
	dir     string
	running *pglocal.Server
}

// StartServer starts a server that ends with the test.
func StartServer(t testing.TB) *Server {
	t.Helper()
	dir, err := os.MkdirTemp("", "atrium-pg-") //nolint:usetesting // a socket's address must be short
	if err != nil {
		t.Fatalf("make a folder: %v", err)
	}
	s := &Server{t: t, dir: dir}
	t.Cleanup(func() {
		s.Stop()
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove the server's folder: %v", err)
		}
	})
	s.Start()
	return s
}

// URL creates the database when it is not there, and returns its URL, which stays the same after Stop and Start.
func (s *Server) URL(db string) string {
	s.t.Helper()
	admin := &server{url: s.running.URL("postgres")}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	err := admin.exec(ctx, "CREATE DATABASE "+db)
	if pe, ok := errors.AsType[*pgconn.PgError](err); err != nil && (!ok || pe.Code != "42P04") { // duplicate_database
		s.t.Fatalf("make database %s: %v", db, err)
	}
	return s.running.URL(db)
}

// Stop takes the server away at once, as a crash does: open connections break and new ones are refused. What was committed is kept.
func (s *Server) Stop() {
	s.t.Helper()
	if s.running == nil {
		return
	}
	if err := s.running.Kill(); err != nil {
		s.t.Fatalf("stop PostgreSQL: %v", err)
	}
	s.running = nil
}

// Start brings it back with its data.
func (s *Server) Start() {
	s.t.Helper()
	if s.running != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	running, err := pglocal.Start(ctx, pglocal.Options{
		Dir: s.dir, Volatile: true,
		Settings: map[string]string{"synchronous_commit": "on"}, // what was committed must survive Stop
	})
	if err != nil {
		s.t.Fatalf("start PostgreSQL: %v", err)
	}
	s.running = running
}
