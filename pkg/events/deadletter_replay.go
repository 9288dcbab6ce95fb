package events

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/leader"
	"github.com/atrium-mesh/atrium/pkg/pg"
)

type letter struct {
	id       uuid.UUID
	attempts int
	envelope
}

// replayDeadLetters handles the dead letters that somebody wants to be handled again, oldest first.
func (s *subscription) replayDeadLetters(ctx context.Context, session *leader.Session) error {
	var letters []letter
	err := session.Do(ctx, func(conn *pgx.Conn) (err error) {
		letters, err = s.requested(ctx, conn)
		return err
	})
	if err != nil {
		return sqlError{err}
	}
	for _, l := range letters {
		err := s.replay(ctx, session, l)
		switch {
		case err == nil:
			s.metrics.count(ctx, l.envelope, outcomeDone)
		case isSQL(err) || ctx.Err() != nil:
			return err
		case errs.KindOf(err).Retryable():
			s.logger.WarnContext(ctx, "a dead letter could not be handled yet", "event", l.ID, "type", l.Type, "error", err)
			return nil // in a moment, and in order
		default:
			s.logger.ErrorContext(ctx, "a dead letter could not be handled again", "event", l.ID, "type", l.Type, "error", err)
			if err := s.reject(ctx, session, l, err); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *subscription) requested(ctx context.Context, conn *pgx.Conn) ([]letter, error) {
	rows, err := conn.Query(ctx, `
SELECT id, attempts, event_id, type, source, subject, org_id, actor, time, trace, data FROM dead_letters
WHERE consumer = $1 AND stream = $2 AND replay_requested_at IS NOT NULL AND resolved_at IS NULL
ORDER BY created_at, id LIMIT $3`, s.Name, s.stream, fetchBatch)
	if err != nil {
		return nil, fmt.Errorf("look for dead letters to replay: %w", err)
	}
	letters, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (l letter, err error) {
		err = row.Scan(&l.id, &l.attempts, &l.ID, &l.Type, &l.Source, &l.Subject, &l.OrgID, &l.Actor, &l.Time, &l.Trace, &l.Data)
		return l, err
	})
	if err != nil {
		return nil, fmt.Errorf("look for dead letters to replay: %w", err)
	}
	return letters, nil
}

// replay handles a letter and resolves it in one transaction. A conflict means that the effect is there already.
func (s *subscription) replay(ctx context.Context, session *leader.Session, l letter) (err error) {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	ctx, span := s.startSpan(ctx, l.envelope, l.attempts+1)
	defer func() { endSpan(span, err) }()
	return session.Do(ctx, func(conn *pgx.Conn) error {
		err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if err := s.callSafely(ctx, tx, l.envelope); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "UPDATE dead_letters SET resolved_at = now(), attempts = attempts + 1 WHERE id = $1", l.id)
			return err
		})
		if err != nil && conn.IsClosed() {
			return sqlError{err}
		}
		return pg.Err(err)
	})
}

// callSafely runs the handler in a savepoint, so that after a conflict the transaction can go on.
func (s *subscription) callSafely(ctx context.Context, tx pgx.Tx, e envelope) error {
	err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { return s.call(ctx, tx, e) })
	if errors.Is(pg.Err(err), errs.Conflict) {
		return nil
	}
	return err
}

// reject puts a letter back with its new reason.
func (s *subscription) reject(ctx context.Context, session *leader.Session, l letter, failure error) error {
	why := errs.From(failure)
	err := session.Do(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `
UPDATE dead_letters SET replay_requested_at = NULL, attempts = attempts + 1, kind = $2, code = $3, error = $4 WHERE id = $1`,
			l.id, string(why.Kind), why.Code, storable(failure.Error()))
		return err
	})
	if err != nil {
		return sqlError{fmt.Errorf("put a dead letter back: %w", err)}
	}
	return nil
}
