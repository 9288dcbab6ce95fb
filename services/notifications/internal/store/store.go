// Package store owns all SQL of notifications. The schema (migrations/*.sql) is the model; queries/*.sql become package db with sqlc, which
// is never edited. It keeps what the domain's packages ask for in their interfaces.
//
// A [Store] reads, a [Tx] changes things in one transaction, with the events and the jobs that follow from them. The errors of both have
// been through pg.Err: errs.NotFound for no row, and so on.
package store

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/atrium-mesh/atrium/pkg/idempotency"
	"github.com/atrium-mesh/atrium/pkg/jobs"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/services/notifications/internal/store/db"
)

// Store reads, and begins transactions.
type Store struct {
	reader
	pool *pgxpool.Pool
	jobs *jobs.Runner
}

// New makes a store that inserts jobs with runner, which may be one that works none. It owns neither.
func New(pool *pgxpool.Pool, runner *jobs.Runner) *Store {
	return &Store{reader: reader{db.New(pg.Typed(pool))}, pool: pool, jobs: runner}
}

// Tx is one transaction: what it changes, and the events and jobs that are there if and when it commits.
type Tx struct {
	reader
	tx   pgx.Tx
	jobs *jobs.Runner
}

// reader is what can be read on the pool and in a transaction.
type reader struct{ q *db.Queries }

// WithTx makes a Tx of a transaction that somebody else commits, such as an event consumer's.
func (s *Store) WithTx(tx pgx.Tx) *Tx {
	return &Tx{reader: reader{db.New(pg.Typed(tx))}, tx: tx, jobs: s.jobs}
}

// InTx runs fn in a transaction that commits when fn returns nil. After a serialization failure or a deadlock fn runs again: it must
// have no effect but those of its transaction, and make no network call.
func (s *Store) InTx(ctx context.Context, fn func(tx *Tx) error) error {
	return pg.InTx(ctx, s.pool, func(tx pgx.Tx) error { return fn(s.WithTx(tx)) })
}

// Transactor makes of InTx what a package of the domain asks for: T is its own interface, which *Tx implements.
func Transactor[T any](s *Store) func(context.Context, func(T) error) error {
	_ = any((*Tx)(nil)).(T) // panics at start when *Tx lacks something
	return func(ctx context.Context, fn func(T) error) error {
		return s.InTx(ctx, func(tx *Tx) error { return fn(any(tx).(T)) })
	}
}

// PurgeIdempotencyKeys forgets keys that nobody may repeat any more.
func (s *Store) PurgeIdempotencyKeys(ctx context.Context) (int64, error) {
	return idempotency.Cleanup(ctx, s.pool)
}

func (t *Tx) insertJob(ctx context.Context, args river.JobArgs, opts *river.InsertOpts) (*rivertype.JobInsertResult, error) {
	return t.jobs.Insert(ctx, t.tx, args, opts)
}
