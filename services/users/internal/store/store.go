// Package store owns all SQL of users. The schema (migrations/*.sql) is the model; queries/*.sql become package db with sqlc, which is
// never edited; the list, whose filters and order are put together, is in list.go.
//
// A [Store] runs queries one by one, a [Tx] in one transaction with the events that tell of them ([Publish]). The errors of both have
// been through pg.Err: errs.NotFound for no row, and so on.
package store

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/idempotency"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/services/users/internal/store/db"
)

// Store runs queries on a pool.
type Store struct {
	*db.Queries
	pool *pgxpool.Pool
}

// New makes a store. It does not own the pool.
func New(pool *pgxpool.Pool) *Store { return &Store{Queries: db.New(pg.Typed(pool)), pool: pool} }

// Tx is one transaction: queries, and events that are published if and when it commits.
type Tx struct {
	*db.Queries
	tx pgx.Tx
}

// WithTx makes a Tx of a transaction that somebody else commits, such as an event consumer's.
func WithTx(tx pgx.Tx) *Tx { return &Tx{Queries: db.New(pg.Typed(tx)), tx: tx} }

// InTx runs fn in a transaction that commits when fn returns nil. After a serialization failure or a deadlock fn runs again: it must
// have no effect but those of its transaction, and make no network call.
func (s *Store) InTx(ctx context.Context, fn func(tx *Tx) error) error {
	return pg.InTx(ctx, s.pool, func(tx pgx.Tx) error { return fn(WithTx(tx)) })
}

// Publish tells others what this transaction changed. The subject is the id of the user that it is about.
func Publish[T any](ctx context.Context, tx *Tx, t events.Type[T], subject uuid.UUID, data T) error {
	return events.Publish(ctx, tx.tx, t, subject.String(), data)
}

// Once runs fn for the first request with this key, and gives its answer again to those that repeat it. See [idempotency.Do].
func Once[T any](ctx context.Context, tx *Tx, key idempotency.Key, fn func() (T, error)) (T, error) {
	out, _, err := idempotency.Do(ctx, tx.tx, key, fn)
	return out, err
}
