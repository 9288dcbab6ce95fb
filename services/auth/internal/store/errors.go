package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/db"
)

// The constraints whose violation says something to a caller.
const (
	EmailTaken = "accounts_email_key_key" // another account has the address
	SameID     = "accounts_pkey"          // there is an account with this id
	RoleExists = "roles_pkey"             // there is a role with this name
	NoSuchRole = "account_roles_role_fkey"
)

// Violates reports whether err is a violation of the constraint.
func Violates(err error, constraint string) bool { return err != nil && pg.Constraint(err) == constraint }

// NotFound reports whether err says that there was no row.
func NotFound(err error) bool { return errors.Is(err, errs.NotFound) }

// typed runs queries with errors of package errs, so that nobody has to remember to map them.
type typed struct{ db.DBTX }

func (t typed) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	tag, err := t.DBTX.Exec(ctx, sql, args...)
	return tag, pg.Err(err)
}

func (t typed) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	rows, err := t.DBTX.Query(ctx, sql, args...)
	return typedRows{rows}, pg.Err(err)
}

func (t typed) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return typedRow{t.DBTX.QueryRow(ctx, sql, args...)}
}

type typedRow struct{ pgx.Row }

func (r typedRow) Scan(dest ...any) error { return pg.Err(r.Row.Scan(dest...)) }

type typedRows struct{ pgx.Rows }

func (r typedRows) Scan(dest ...any) error { return pg.Err(r.Rows.Scan(dest...)) }

func (r typedRows) Err() error { return pg.Err(r.Rows.Err()) }
