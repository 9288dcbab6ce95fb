// Package pgtest gives each test a PostgreSQL database of its own on a real server.
//
// A test binary starts one server at its first New, without TestMain, and that server ends with the binary, however it ends. Each set
// of migrations runs once, into a template; a test's database is a copy of it, which takes about 20 ms. $TEST_DATABASE_URL names a
// server to use instead; its role must be able to create databases.
package pgtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/pkg/pglocal"
)

// within bounds what is done around a test, whose own context may be over.
const within = time.Minute

// maxConns keeps a hundred parallel tests within the server's 400 connections.
const maxConns = 8

// New makes a database that has been migrated (the kit's tables, then migrations, which may be nil) and returns a pool on it. Both are
// gone when the test ends.
func New(t testing.TB, migrations fs.FS) *pgxpool.Pool {
	t.Helper()
	return Open(t, NewURL(t, migrations))
}

// Open returns a pool that is closed when the test ends.
func Open(t testing.TB, databaseURL string) *pgxpool.Pool {
	t.Helper()
	pool, err := pg.Open(t.Context(), pg.Config{URL: databaseURL, MaxConns: maxConns}, nil)
	if err != nil {
		t.Fatalf("open the test's database: %v", err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// NewURL is New for code that opens its own pool: it returns the database's URL.
func NewURL(t testing.TB, migrations fs.FS) string {
	t.Helper()
	server, err := shared()
	if err != nil {
		t.Fatalf("start PostgreSQL for the tests: %v", err)
	}
	template, err := server.template(migrations)
	if err != nil {
		t.Fatalf("migrate the tests' template database: %v", err)
	}
	name := "test_" + strings.ToLower(rand.Text())
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	if err := server.exec(ctx, fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", name, template)); err != nil {
		t.Fatalf("make the test's database: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), within)
		defer cancel()
		if err := server.exec(ctx, fmt.Sprintf("DROP DATABASE IF EXISTS %s WITH (FORCE)", name)); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return withDatabase(server.url, name)
}

// shared is the server of this test binary. It is the one thing that tests share; each has its own database on it.
var shared = sync.OnceValues(func() (*server, error) { //nolint:gochecknoglobals // as long as the process
	if u := os.Getenv("TEST_DATABASE_URL"); u != "" {
		return &server{url: u}, nil
	}
	s, err := startLocal()
	if err != nil {
		return nil, err
	}
	return &server{url: s.URL("postgres"), keep: s}, nil
})

// startLocal starts a server in a short path of the temporary folder, since a socket's address is short.
func startLocal() (*pglocal.Server, error) {
	dir, err := os.MkdirTemp("", "atrium-pg-")
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return pglocal.Start(ctx, pglocal.Options{Dir: dir, Volatile: true, Ephemeral: true})
}

// server makes databases.
type server struct {
	url  string
	keep *pglocal.Server // a server that nobody refers to ends

	mu        sync.Mutex
	templates map[string]string // by hash of the migrations
}

func (s *server) template(migrations fs.FS) (string, error) {
	hash, err := hashOf(pg.Migrations(), migrations)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if name, ok := s.templates[hash]; ok {
		return name, nil
	}
	name := "template_" + hash
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	if err := s.makeTemplate(ctx, name, migrations); err != nil {
		return "", err
	}
	if s.templates == nil {
		s.templates = map[string]string{}
	}
	s.templates[hash] = name
	return name, nil
}

// makeTemplate migrates aside and renames, under a lock, since on a server of $TEST_DATABASE_URL other binaries do the same.
func (s *server) makeTemplate(ctx context.Context, name string, migrations fs.FS) error {
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock(hashtext($1))", name); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&exists); err != nil || exists {
		return err
	}
	half := name + "_new"
	for _, sql := range []string{"DROP DATABASE IF EXISTS " + half, "CREATE DATABASE " + half} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	if err := migrate(ctx, withDatabase(s.url, half), migrations); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, fmt.Sprintf("ALTER DATABASE %s RENAME TO %s", half, name)); err != nil {
		return fmt.Errorf("put the template in place: %w", err)
	}
	return nil
}

func migrate(ctx context.Context, databaseURL string, migrations fs.FS) error {
	pool, err := pg.Open(ctx, pg.Config{URL: databaseURL}, nil)
	if err != nil {
		return err
	}
	defer pool.Close()
	return pg.Migrate(ctx, pool, migrations)
}

func (s *server) exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	_, err = conn.Exec(ctx, sql)
	return err
}

func hashOf(folders ...fs.FS) (string, error) {
	h := sha256.New()
	for _, folder := range folders {
		if folder == nil {
			continue
		}
		names, err := fs.Glob(folder, "*.sql")
		if err != nil {
			return "", err
		}
		for _, name := range names {
			text, err := fs.ReadFile(folder, name)
			if err != nil {
				return "", fmt.Errorf("read migration %s: %w", name, err)
			}
			_, _ = fmt.Fprintf(h, "%s %d\n%s", filepath.ToSlash(name), len(text), text)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

func withDatabase(serverURL, name string) string {
	u, err := url.Parse(serverURL)
	if err != nil {
		return serverURL // connecting has told what is wrong with it
	}
	u.Path = "/" + name
	return u.String()
}
