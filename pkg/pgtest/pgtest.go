// Package pgtest gives each test a PostgreSQL database of its own on a real server.
package pgtest

import (
	"io/fs"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
)

// New makes a database that has been migrated (the kit's tables, then migrations, which may be nil) and returns a pool on it. Both are
// gone when the test ends.
func New(t testing.TB, migrations fs.FS) *pgxpool.Pool {
	t.Helper()
	t.Fatal("being built")
	return nil
}

// NewURL is New for code that opens its own pool: it returns the database's URL.
func NewURL(t testing.TB, migrations fs.FS) string { t.Helper(); t.Fatal("being built"); return "" }

// Server is a PostgreSQL server of one test, which may take it away and bring it back.
type Server struct{}

// StartServer starts a server that ends with the test.
func StartServer(t testing.TB) *Server { t.Helper(); t.Fatal("being built"); return nil }

// URL creates the database when it is not there, and returns its URL, which stays the same after Stop and Start.
func (s *Server) URL(db string) string { return "" }

// Stop takes the server away at once: open connections break and new ones are refused.
func (s *Server) Stop() {}

// Start brings it back with its data.
func (s *Server) Start() {}
