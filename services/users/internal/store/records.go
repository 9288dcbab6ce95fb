package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/idempotency"
	"github.com/atrium-mesh/atrium/services/users/internal/store/db"
	"github.com/atrium-mesh/atrium/services/users/internal/users"
)

// WriteAudit adds to the audit trail.
func (tx *Tx) WriteAudit(ctx context.Context, c users.Change) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("write an audit entry: %w", err)
	}
	return tx.q.InsertAudit(ctx, db.InsertAuditParams{
		ID:        id,
		UserID:    c.UserID,
		Actor:     c.Actor,
		Action:    c.Action,
		Detail:    []byte("{}"),
		Ip:        c.IP,
		RequestID: c.RequestID,
		Now:       c.At,
	})
}

// Audited reports whether the audit trail says that this was done to a user.
func (tx *Tx) Audited(ctx context.Context, id uuid.UUID, action string) (bool, error) {
	return tx.q.Audited(ctx, db.AuditedParams{UserID: id, Action: action})
}

// PublishEvent tells others what this transaction changed.
func (tx *Tx) PublishEvent(ctx context.Context, typeName string, subject uuid.UUID, data any) error {
	return events.Publish(ctx, tx.tx, events.Type[any]{Name: typeName}, subject.String(), data)
}

// Once runs fn for the first request with this key. See [idempotency.Do].
func (tx *Tx) Once(ctx context.Context, key idempotency.Key, fn func() (uuid.UUID, error)) (uuid.UUID, error) {
	id, _, err := idempotency.Do(ctx, tx.tx, key, fn)
	return id, err
}
