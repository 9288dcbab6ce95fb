package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/db"
)

var (
	_ identity.Store = (*Store)(nil)
	_ identity.Tx    = (*Tx)(nil)
)

// records implements what a store and a transaction have in common.
type records struct{ q *db.Queries }

// Store runs queries on a pool.
type Store struct {
	records
	pool *pgxpool.Pool
}

// New makes a store. It does not own the pool.
func New(pool *pgxpool.Pool) *Store {
	return &Store{records: records{db.New(pg.Typed(pool))}, pool: pool}
}

// Tx is one transaction: queries, and events that are published if and when it commits.
type Tx struct {
	records
	tx pgx.Tx
}

// WithTx makes a Tx of a transaction that somebody else commits, such as an event consumer's.
func WithTx(tx pgx.Tx) *Tx { return &Tx{records: records{db.New(pg.Typed(tx))}, tx: tx} }

// InTx runs fn in a transaction that commits when fn returns nil. After a serialization failure or a deadlock fn runs again.
func (s *Store) InTx(ctx context.Context, fn func(tx identity.Tx) error) error {
	return pg.InTx(ctx, s.pool, func(tx pgx.Tx) error { return fn(WithTx(tx)) })
}

// PublishEvent tells others what this transaction changed. See [identity.Publish].
func (tx *Tx) PublishEvent(ctx context.Context, typeName string, subject uuid.UUID, data any) error {
	return events.Publish(ctx, tx.tx, events.Type[any]{Name: typeName}, subject.String(), data)
}

// WriteAudit adds to the audit trail.
func (tx *Tx) WriteAudit(ctx context.Context, e audit.Entry) error {
	details := []byte("{}")
	if len(e.Details) > 0 {
		var err error
		if details, err = json.Marshal(e.Details); err != nil {
			return fmt.Errorf("encode an audit entry: %w", err)
		}
	}
	return tx.q.InsertAudit(ctx, db.InsertAuditParams{
		ID: e.ID, OrgID: identity.Org, At: e.At, Action: e.Action, Actor: e.Actor, Subject: e.Subject, Outcome: e.Outcome,
		IP: e.IP, Device: e.Device, RequestID: e.RequestID, Details: details,
	})
}
