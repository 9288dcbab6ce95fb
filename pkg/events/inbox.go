package events

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/leader"
)

// markHandled records the event as handled, and reports whether it had not been.
func (s *subscription) markHandled(ctx context.Context, tx pgx.Tx, e envelope) (bool, error) {
	tag, err := tx.Exec(ctx, "INSERT INTO inbox (consumer, event_id, type) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", s.Name, e.ID, e.Type)
	if err != nil {
		return false, fmt.Errorf("write the inbox: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// bury keeps an event that could not be handled.
func (s *subscription) bury(ctx context.Context, tx pgx.Tx, e envelope, failure error, attempts int) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make an id: %w", err)
	}
	why := errs.From(failure)
	_, err = tx.Exec(ctx, `
INSERT INTO dead_letters (id, consumer, stream, event_id, type, source, subject, org_id, actor, time, trace, data, kind, code, error, attempts,
	retry_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, now() + $17::interval)
ON CONFLICT (consumer, event_id) DO NOTHING`,
		id, s.Name, s.stream, e.ID, e.Type, e.Source, e.Subject, e.OrgID, e.Actor, e.Time, e.Trace, e.Data,
		string(why.Kind), why.Code, storable(failure.Error()), attempts, s.retryIn(why.Kind))
	if err != nil {
		return fmt.Errorf("write a dead letter: %w", err)
	}
	return nil
}

// clean deletes inbox rows of events that cannot come again, and dead letters that were resolved long ago.
func (s *subscription) clean(ctx context.Context, session *leader.Session) error {
	for _, old := range []string{
		`DELETE FROM inbox WHERE (consumer, event_id) IN (
	SELECT consumer, event_id FROM inbox WHERE consumer = $1 AND handled_at < now() - $2::interval LIMIT $3)`,
		`DELETE FROM dead_letters WHERE id IN (
	SELECT id FROM dead_letters WHERE consumer = $1 AND resolved_at < now() - $2::interval LIMIT $3)`,
	} {
		err := session.Do(ctx, func(conn *pgx.Conn) error {
			for {
				tag, err := conn.Exec(ctx, old, s.Name, s.Retention, cleanChunk)
				if err != nil || tag.RowsAffected() < cleanChunk {
					return err
				}
			}
		})
		if err != nil {
			return sqlError{fmt.Errorf("delete old rows of the inbox: %w", err)}
		}
	}
	return nil
}
