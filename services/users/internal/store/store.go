// Package store owns all SQL of users. The schema (migrations/*.sql) is the model; queries/*.sql become package db with sqlc, which is
// never edited; the list, whose filters and order are put together, is in list.go.
//
// It implements the ports of the domain, package users. A [Store] reads on its own, a [Tx] is one transaction with the events that tell
// of it. The errors of both have been through pg.Err: errs.NotFound for no row, and so on.
package store

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/services/users/internal/store/db"
	"github.com/atrium-mesh/atrium/services/users/internal/users"
)

var (
	_ users.Store = (*Store)(nil)
	_ users.Tx    = (*Tx)(nil)
)

// Store runs queries on a pool.
type Store struct {
	pool   *pgxpool.Pool
	q      *db.Queries
	totals totals
}

// New makes a store. It does not own the pool.
func New(pool *pgxpool.Pool) *Store { return &Store{pool: pool, q: db.New(pg.Typed(pool))} }

// Tx is one transaction: queries, and events that are published if and when it commits.
type Tx struct {
	tx pgx.Tx
	q  *db.Queries
}

// WithTx makes a Tx of a transaction that somebody else commits, such as an event consumer's.
func WithTx(tx pgx.Tx) *Tx { return &Tx{tx: tx, q: db.New(pg.Typed(tx))} }

// InTx runs fn in a transaction that commits when fn returns nil. After a serialization failure or a deadlock fn runs again.
func (s *Store) InTx(ctx context.Context, fn func(tx users.Tx) error) error {
	return pg.InTx(ctx, s.pool, func(tx pgx.Tx) error { return fn(WithTx(tx)) })
}

// User reads a user.
func (s *Store) User(ctx context.Context, id uuid.UUID) (users.User, error) {
	row, err := s.q.GetUser(ctx, id)
	return userOf(row), err
}

func userOf(row db.User) users.User {
	return users.User{
		ID: row.ID, Email: row.Email, EmailVerified: row.EmailVerified, Status: row.Status, Roles: row.Roles, Version: row.Version,
		Profile:   users.Profile{FullName: row.FullName, Locale: row.Locale, TimeZone: row.TimeZone},
		CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt,
		LastSignInAt: row.LastSignInAt, DeletedAt: row.DeletedAt, EraseAt: row.EraseAt, StandingVersion: row.StandingVersion,
	}
}
