package events

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/leader"
	"github.com/atrium-mesh/atrium/pkg/pg"
)

// A dead letter whose reason may pass by itself is tried again after RetryDead, and then after as long as it has waited, so twice as long
// each time, but once in mostRetryDead at least. One that was refused as wrong, forged or too late is not: what is refused today because
// of how things are must not be done tomorrow because they have changed.
const mostRetryDead = 6 * time.Hour

// retryIn is how long a new dead letter waits until it is tried again by itself; nil: it waits for a person.
func (s *subscription) retryIn(kind errs.Kind) *time.Duration {
	if !passes(kind) {
		return nil
	}
	return &s.RetryDead
}

// passes reports whether the reason of a dead letter may pass by itself: a fault that is mended, a slow day, something that comes later.
func passes(kind errs.Kind) bool {
	return kind == errs.Internal || kind == errs.NotFound || kind.Retryable()
}

type letter struct {
	id       uuid.UUID
	attempts int
	envelope
}

// replayDeadLetters handles the dead letters that somebody wants to be handled again, and those whose time has come, oldest first.
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
		err := s.tryAgain(ctx, session, l)
		switch {
		case err == nil:
			s.metrics.count(ctx, l.envelope, outcomeDone)
		case isSQL(err) || ctx.Err() != nil:
			return err
		case errs.KindOf(err).Retryable() && errs.KindOf(err) != errs.Timeout:
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
WHERE consumer = $1 AND stream = $2 AND (replay_requested_at IS NOT NULL OR retry_at <= now()) AND resolved_at IS NULL
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

// tryAgain is replay, but for one that was too slow a moment ago, when its connection was cut off: that one goes back with its reason.
func (s *subscription) tryAgain(ctx context.Context, session *leader.Session, l letter) error {
	if s.slow.id == l.ID {
		s.slow = slowness{}
		return errTooSlow()
	}
	err := s.replay(ctx, session, l)
	s.slow.note(l.ID, err)
	return err
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
UPDATE dead_letters SET replay_requested_at = NULL, attempts = attempts + 1, kind = $2, code = $3, error = $4,
	retry_at = CASE WHEN $5::interval IS NOT NULL THEN now() + least(greatest(now() - created_at, $5), $6::interval) END
WHERE id = $1`,
			l.id, string(why.Kind), why.Code, storable(failure.Error()), s.retryIn(why.Kind), mostRetryDead)
		return err
	})
	if err != nil {
		return sqlError{fmt.Errorf("put a dead letter back: %w", err)}
	}
	return nil
}
