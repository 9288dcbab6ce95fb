package mesh

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/pglocal"
)

const postgresWithin = 2 * time.Minute

// Postgres is the PostgreSQL of a mesh, with a database and a role for each service as in a cluster. It is not safe for concurrent use.
type Postgres struct {
	t       testing.TB
	dir     string
	durable bool
	running *pglocal.Server
}

func startPostgres(t testing.TB, durable bool) *Postgres {
	t.Helper()
	dir, err := os.MkdirTemp("", "atrium-e2e-pg-") //nolint:usetesting // a socket's address must be short
	if err != nil {
		t.Fatalf("mesh: make a folder: %v", err)
	}
	p := &Postgres{t: t, dir: dir, durable: durable}
	t.Cleanup(func() {
		p.Stop()
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("mesh: remove PostgreSQL's folder: %v", err)
		}
	})
	p.Start()
	for _, name := range databases {
		p.provision("atrium_" + name)
	}
	return p
}

// URL is the address of a service's database for its own role.
func (p *Postgres) URL(service string) string {
	name := "atrium_" + service
	return p.running.URLFor(name, name, name)
}

// Stop takes the server away as a crash does. What was committed is kept.
func (p *Postgres) Stop() {
	p.t.Helper()
	if p.running == nil {
		return
	}
	if err := p.running.Kill(); err != nil {
		p.t.Errorf("mesh: stop PostgreSQL: %v", err)
	}
	p.running = nil
}

// Start brings it back at the same address.
func (p *Postgres) Start() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), postgresWithin)
	defer cancel()
	server, err := pglocal.Start(ctx, pglocal.Options{
		Dir: p.dir, Volatile: !p.durable,
		Settings: map[string]string{"synchronous_commit": "on", "max_connections": "200"}, // what was committed must survive Stop
	})
	if err != nil {
		p.t.Fatalf("mesh: start PostgreSQL: %v", err)
	}
	p.running = server
}

// Connect opens a connection to a service's database, to look into it.
func (p *Postgres) Connect(service string) *pgx.Conn {
	p.t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, p.URL(service))
	if err != nil {
		p.t.Fatalf("mesh: connect to the database of %s: %v", service, err)
	}
	p.t.Cleanup(func() { _ = conn.Close(ctx) }) // nothing was written
	return conn
}

func (p *Postgres) provision(name string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), postgresWithin)
	defer cancel()
	conn, err := pgx.Connect(ctx, p.running.URL("postgres"))
	if err != nil {
		p.t.Fatalf("mesh: connect to PostgreSQL: %v", err)
	}
	defer func() { _ = conn.Close(ctx) }() // all statements were answered
	for _, statement := range []string{
		"CREATE ROLE %[1]s LOGIN PASSWORD '%[1]s'",
		"CREATE DATABASE %[1]s OWNER %[1]s ENCODING 'UTF8' TEMPLATE template0",
		"REVOKE CONNECT ON DATABASE %[1]s FROM PUBLIC",
	} {
		if _, err := conn.Exec(ctx, fmt.Sprintf(statement, name)); err != nil {
			p.t.Fatalf("mesh: make the database %s: %v", name, err)
		}
	}
}
