package events

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/leader"
)

const (
	relayBatch = 256
	pollEvery  = 500 * time.Millisecond // a NOTIFY usually comes first
	markWithin = 2 * time.Second
)

// sqlError is a failure of the leader's session, which ends its leadership.
type sqlError struct{ error }

func (e sqlError) Unwrap() error { return e.error }

func isSQL(err error) bool {
	_, ok := errors.AsType[sqlError](err)
	return ok
}

func listen(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "LISTEN "+notifyChannel)
	return err
}

// awaitNotification waits for a commit that has published something, at most pollEvery.
func awaitNotification(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, pollEvery)
	defer cancel()
	_, err := conn.WaitForNotification(ctx)
	if ctx.Err() != nil {
		return nil //nolint:nilerr // the end of the wait
	}
	return err
}

type outboxRow struct {
	seq int64
	envelope
}

// relayBatch publishes the oldest unpublished events and marks those that JetStream has acknowledged. It returns how many those are,
// with an error when they are fewer than there were.
func (r *Relay) relayBatch(ctx context.Context, s *leader.Session, end *tail) (int, error) {
	var rows []outboxRow
	err := s.Do(ctx, func(conn *pgx.Conn) (err error) {
		rows, err = unpublished(ctx, conn)
		return err
	})
	if err != nil {
		return 0, sqlError{err}
	}
	if len(rows) == 0 {
		return 0, nil
	}
	acked, last, failure := r.publish(ctx, rows, end)
	if acked > 0 {
		if err := r.mark(ctx, s, rows[:acked], last); err != nil {
			return 0, err
		}
	}
	return acked, failure
}

func unpublished(ctx context.Context, conn *pgx.Conn) ([]outboxRow, error) {
	rows, err := conn.Query(ctx, `
SELECT seq, id, type, source, subject, org_id, actor, time, trace, data FROM outbox
WHERE published_at IS NULL ORDER BY seq LIMIT $1`, relayBatch)
	if err != nil {
		return nil, fmt.Errorf("read the outbox: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (o outboxRow, err error) {
		err = row.Scan(&o.seq, &o.ID, &o.Type, &o.Source, &o.Subject, &o.OrgID, &o.Actor, &o.Time, &o.Trace, &o.Data)
		return o, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the outbox: %w", err)
	}
	return out, nil
}

// mark records what was acknowledged, also when the relay has been told to stop meanwhile.
func (r *Relay) mark(ctx context.Context, s *leader.Session, rows []outboxRow, last uint64) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), markWithin)
	defer cancel()
	seqs := make([]int64, len(rows))
	for i, row := range rows {
		seqs[i] = row.seq
	}
	err := s.Do(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `
WITH known AS (UPDATE outbox_streams SET last_seq = greatest(last_seq, $3) WHERE stream = $2)
UPDATE outbox SET published_at = now() WHERE seq = ANY($1)`, seqs, r.cfg.Stream, int64(last)) //nolint:gosec // a sequence
		return err
	})
	if err != nil {
		return sqlError{fmt.Errorf("mark events as published: %w", err)}
	}
	return nil
}
