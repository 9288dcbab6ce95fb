package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/db"
)

// Org is the organization that everything belongs to, as long as there is only one.
const Org = "default"

// Store runs queries on a pool.
type Store struct {
	*db.Queries
	pool *pgxpool.Pool
}

// New makes a store. It does not own the pool.
func New(pool *pgxpool.Pool) *Store {
	return &Store{Queries: db.New(typed{pool}), pool: pool}
}

// Tx is one transaction: queries, and events that are published if and when it commits.
type Tx struct {
	*db.Queries
	tx pgx.Tx
}

// WithTx makes a Tx of a transaction that somebody else commits, such as an event consumer's.
func WithTx(tx pgx.Tx) *Tx { return &Tx{Queries: db.New(typed{tx}), tx: tx} }

// InTx runs fn in a transaction that commits when fn returns nil. After a serialization failure or a deadlock fn runs again: it must
// have no effect but those of its transaction, and make no network call.
func (s *Store) InTx(ctx context.Context, fn func(tx *Tx) error) error {
	return pg.InTx(ctx, s.pool, func(tx pgx.Tx) error { return fn(WithTx(tx)) })
}

// Publish tells others what this transaction changed. The subject is the id of the account that it is about.
func Publish[T any](ctx context.Context, tx *Tx, t events.Type[T], subject uuid.UUID, data T) error {
	return events.Publish(ctx, tx.tx, t, subject.String(), data)
}

// NewID makes an id that sorts by time (UUIDv7).
func NewID() (uuid.UUID, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.UUID{}, fmt.Errorf("make an id: %w", err)
	}
	return id, nil
}
