package pg

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Typed wraps db so that every error has been through [Err]. It is what a store gives to its generated queries, so that nobody has to
// remember to map errors.
func Typed(db DBTX) DBTX { return typed{db} }

type typed struct{ DBTX }

func (t typed) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	ctx, a := acquiring(ctx, t.DBTX)
	tag, err := t.DBTX.Exec(ctx, sql, args...)
	return tag, a.err(err)
}

func (t typed) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	ctx, a := acquiring(ctx, t.DBTX)
	rows, err := t.DBTX.Query(ctx, sql, args...)
	return typedRows{rows}, a.err(err)
}

func (t typed) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	ctx, a := acquiring(ctx, t.DBTX)
	return typedRow{t.DBTX.QueryRow(ctx, sql, args...), a}
}

type typedRow struct {
	pgx.Row
	acquisition *acquisition
}

func (r typedRow) Scan(dest ...any) error { return r.acquisition.err(r.Row.Scan(dest...)) }

type typedRows struct{ pgx.Rows }

func (r typedRows) Scan(dest ...any) error { return Err(r.Rows.Scan(dest...)) }

func (r typedRows) Err() error { return Err(r.Rows.Err()) }
