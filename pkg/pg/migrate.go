package pg

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/atrium-mesh/atrium/pkg/errs"
)

//go:embed migrations/*.sql
var kit embed.FS

const (
	kitVersions     = "kit_migrations"
	serviceVersions = "service_migrations"
	migrateLock     = 0x61747269756d // "atrium"
	lockPoll        = 100 * time.Millisecond
	// LockWait is how long Migrate waits for another process that migrates the same database.
	LockWait = 5 * time.Minute
)

// Migrations are the kit's own: outbox, inbox, dead letters and idempotency keys.
func Migrations() fs.FS {
	sub, err := fs.Sub(kit, "migrations")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}

// Migrate brings the database up to date: the kit's tables, then the service's *.sql files (goose) at the root of service, which may
// be nil. One process migrates at a time, held by an advisory lock of the session; the others wait, at most LockWait, and then find
// nothing to do. An interrupted Migrate is resumed by the next: each file is one transaction unless it says otherwise.
func Migrate(ctx context.Context, pool *pgxpool.Pool, service fs.FS) error {
	cc := pool.Config().ConnConfig.Copy()
	cc.Tracer = nil
	cc.RuntimeParams["statement_timeout"] = "0"
	cc.RuntimeParams["idle_in_transaction_session_timeout"] = "0"
	db := stdlib.OpenDB(*cc)
	defer func() { _ = db.Close() }()

	if err := up(ctx, db, kitVersions, Migrations()); err != nil {
		return fmt.Errorf("migrate the kit's tables: %w", Err(err))
	}
	if service == nil {
		return nil
	}
	if err := up(ctx, db, serviceVersions, service); err != nil {
		return fmt.Errorf("migrate the service's tables: %w", Err(err))
	}
	return nil
}

func up(ctx context.Context, db *sql.DB, versions string, files fs.FS) error {
	p, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithTableName(versions),
		goose.WithSessionLocker(advisoryLock{}), goose.WithDisableGlobalRegistry(true))
	if errors.Is(err, goose.ErrNoMigrations) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// advisoryLock is goose's session lock with a shorter poll than its own second, so that replicas that start together are soon ready.
// It polls because a session that blocks in pg_advisory_lock holds a snapshot, and CREATE INDEX CONCURRENTLY waits for that.
type advisoryLock struct{}

func (advisoryLock) SessionLock(ctx context.Context, conn *sql.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, LockWait)
	defer cancel()
	for {
		var locked bool
		if err := conn.QueryRowContext(ctx, "SELECT pg_try_advisory_lock($1)", int64(migrateLock)).Scan(&locked); err != nil {
			return fmt.Errorf("take the migration lock: %w", err)
		}
		if locked {
			return nil
		}
		select {
		case <-ctx.Done():
			return errs.New(errs.Unavailable, "migrating", "Another process is migrating the database.").WithCause(ctx.Err())
		case <-time.After(lockPoll + rand.N(lockPoll)): //nolint:gosec // jitter
		}
	}
}

func (advisoryLock) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_unlock($1)", int64(migrateLock)); err != nil {
		return fmt.Errorf("release the migration lock: %w", err)
	}
	return nil
}
