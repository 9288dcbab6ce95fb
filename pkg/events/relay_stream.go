package events

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/leader"
	"github.com/atrium-mesh/atrium/pkg/natsconn"
)

// streamCheckEvery is how often a stream that takes what it is given is asked whether it still has it.
const streamCheckEvery = 30 * time.Second

// ensureWithin is how long to try before a failure is reported.
const ensureWithin = 10 * time.Second

// ensureStream makes the stream where it is missing. When it is not the one that was published to, or has fewer messages than were
// acknowledged, JetStream has lost data (it acknowledges before it syncs its disk): then everything that the outbox has is
// published again. Consumers skip what they know.
func (r *Relay) ensureStream(ctx context.Context, s *leader.Session) error {
	within, cancel := context.WithTimeout(ctx, ensureWithin)
	defer cancel()
	info, err := natsconn.EnsureStream(within, r.js, r.streamConfig())
	if err != nil {
		return err
	}
	created, last := info.Created.UTC().Truncate(time.Microsecond), int64(info.State.LastSeq) //nolint:gosec // a sequence
	return r.inTx(ctx, s, func(tx pgx.Tx) error {
		var knownCreated time.Time
		var knownLast int64
		err := tx.QueryRow(ctx, "SELECT created_at, last_seq FROM outbox_streams WHERE stream = $1", r.cfg.Stream).Scan(&knownCreated, &knownLast)
		first := errors.Is(err, pgx.ErrNoRows)
		if err != nil && !first {
			return fmt.Errorf("look up the stream: %w", err)
		}
		if !first && knownCreated.Equal(created) && last >= knownLast {
			return nil
		}
		if !first {
			n, err := Replay(ctx, tx, time.Time{})
			if err != nil {
				return err
			}
			r.logger.WarnContext(ctx, "the stream has lost events; publishing the outbox again", "events", n)
		}
		_, err = tx.Exec(ctx, `
INSERT INTO outbox_streams (stream, created_at, last_seq) VALUES ($1, $2, $3)
ON CONFLICT (stream) DO UPDATE SET created_at = excluded.created_at, last_seq = excluded.last_seq`, r.cfg.Stream, created, last)
		return err
	})
}

func (r *Relay) inTx(ctx context.Context, s *leader.Session, fn func(tx pgx.Tx) error) error {
	err := s.Do(ctx, func(conn *pgx.Conn) error { return pgx.BeginFunc(ctx, conn, fn) })
	if err != nil {
		return sqlError{err}
	}
	return nil
}
