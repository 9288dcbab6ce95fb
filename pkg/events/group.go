package events

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/leader"
	"github.com/atrium-mesh/atrium/pkg/pg"
)

// handleGroup handles messages that have arrived together in one transaction, which is several times as fast as one each. When that
// does not succeed, nothing has happened, and each is handled by itself.
func (s *subscription) handleGroup(ctx context.Context, session *leader.Session, group []jetstream.Msg) error {
	if len(group) > 1 && s.apart == 0 && s.handleTogether(ctx, session, group) {
		for _, msg := range group {
			_ = msg.Ack() // if it does not arrive, the event comes again and is known
		}
		return nil
	}
	for _, msg := range group {
		if err := s.handleMessage(ctx, session, msg); err != nil {
			return err
		}
		s.apart = max(s.apart-1, 0)
	}
	return nil
}

func (s *subscription) handleTogether(ctx context.Context, session *leader.Session, group []jetstream.Msg) bool {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	all := make([]envelope, len(group))
	for i, msg := range group {
		var err error
		if all[i], err = parseMessage(msg.Headers(), msg.Data()); err != nil {
			return false
		}
	}
	var fresh map[uuid.UUID]bool
	err := session.Do(ctx, func(conn *pgx.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) (err error) {
			if fresh, err = s.markAllHandled(ctx, tx, all); err != nil {
				return err
			}
			return s.callAll(ctx, tx, all, fresh)
		})
	})
	if err != nil {
		if errs.KindOf(pg.Err(err)) == errs.Timeout {
			s.apart = len(group) // the connection may be gone by now, and they come again
		}
		s.logger.DebugContext(ctx, "events could not be handled together; handling each by itself", "events", len(all), "error", err)
		return false
	}
	for _, e := range all {
		outcome := outcomeKnown
		if fresh[e.ID] {
			outcome = outcomeDone
		}
		s.metrics.count(ctx, e, outcome)
	}
	return true
}

// callAll runs the handlers of the fresh events, each once, also where a group holds an event twice.
func (s *subscription) callAll(ctx context.Context, tx pgx.Tx, all []envelope, fresh map[uuid.UUID]bool) error {
	called := make(map[uuid.UUID]bool, len(fresh))
	for _, e := range all {
		if !fresh[e.ID] || called[e.ID] {
			continue
		}
		called[e.ID] = true
		ctx, span := s.startSpan(ctx, e, 1)
		err := s.call(ctx, tx, e)
		endSpan(span, err)
		if err != nil {
			return err
		}
	}
	return nil
}

// markAllHandled records the events as handled, and returns which had not been.
func (s *subscription) markAllHandled(ctx context.Context, tx pgx.Tx, all []envelope) (map[uuid.UUID]bool, error) {
	ids, types := make([]uuid.UUID, len(all)), make([]string, len(all))
	for i, e := range all {
		ids[i], types[i] = e.ID, e.Type
	}
	rows, err := tx.Query(ctx, `
INSERT INTO inbox (consumer, event_id, type) SELECT $1, * FROM unnest($2::uuid[], $3::text[])
ON CONFLICT DO NOTHING RETURNING event_id`, s.Name, ids, types)
	if err != nil {
		return nil, fmt.Errorf("write the inbox: %w", err)
	}
	written, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("write the inbox: %w", err)
	}
	fresh := make(map[uuid.UUID]bool, len(written))
	for _, id := range written {
		fresh[id] = true
	}
	return fresh, nil
}
