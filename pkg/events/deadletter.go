package events

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/pg"
)

// DeadLetter is an event that could not be handled. It waits for a person, or is tried again by itself when its reason may pass.
type DeadLetter struct {
	ID                uuid.UUID       `json:"id"`
	Consumer          string          `json:"consumer"`
	Stream            string          `json:"stream"`
	EventID           uuid.UUID       `json:"event_id"`
	Type              string          `json:"type"`
	Subject           string          `json:"subject"`
	Time              time.Time       `json:"time"`
	Kind              string          `json:"kind"`
	Code              string          `json:"code"`
	Error             string          `json:"error"` // for operators: may hold driver text
	Attempts          int             `json:"attempts"`
	CreatedAt         time.Time       `json:"created_at"`
	ReplayRequestedAt *time.Time      `json:"replay_requested_at,omitempty"`
	RetryAt           *time.Time      `json:"retry_at,omitempty"` // when it is tried again by itself
	ResolvedAt        *time.Time      `json:"resolved_at,omitempty"`
	Data              json.RawMessage `json:"-"` // as received; not JSON when that is what was wrong
}

// DeadLetterFilter narrows ListDeadLetters; the zero value lists the oldest 100 that are not resolved.
type DeadLetterFilter struct {
	Consumer string // "": all
	Type     string // "": all
	Resolved bool   // also those that a replay has resolved
	Limit    int    // default 100
}

// ListDeadLetters returns dead letters, oldest first.
func ListDeadLetters(ctx context.Context, db pg.DBTX, f DeadLetterFilter) ([]DeadLetter, error) {
	const query = `
SELECT id, consumer, stream, event_id, type, subject, time, kind, code, error, attempts, created_at, replay_requested_at, retry_at, resolved_at, data
FROM dead_letters
WHERE ($1 = '' OR consumer = $1) AND ($2 = '' OR type = $2) AND ($3 OR resolved_at IS NULL)
ORDER BY created_at, id LIMIT $4`
	limit := f.Limit
	if limit <= 0 {
		limit = 100
	}
	rows, err := db.Query(ctx, query, f.Consumer, f.Type, f.Resolved, limit)
	if err != nil {
		return nil, fmt.Errorf("list dead letters: %w", pg.Err(err))
	}
	letters, err := pgx.CollectRows(rows, pgx.RowToStructByPos[DeadLetter])
	if err != nil {
		return nil, fmt.Errorf("list dead letters: %w", pg.Err(err))
	}
	return letters, nil
}

// ReplayDeadLetters asks the consumer to handle dead letters again, within about a second; without ids, all that are not resolved. It
// returns how many there are. One that fails again stays, with its new error.
func ReplayDeadLetters(ctx context.Context, db pg.DBTX, ids ...uuid.UUID) (int64, error) {
	tag, err := db.Exec(ctx, `
UPDATE dead_letters SET replay_requested_at = now()
WHERE resolved_at IS NULL AND (cardinality($1::uuid[]) = 0 OR id = ANY($1))`, append([]uuid.UUID{}, ids...))
	if err != nil {
		return 0, fmt.Errorf("ask for a replay of dead letters: %w", pg.Err(err))
	}
	return tag.RowsAffected(), nil
}

// Replay makes the relay send again what was published since then. Consumers that have handled it skip it by their inbox, so that
// it is safe at any time; it is for a JetStream that has lost data. It returns how many events there are.
func Replay(ctx context.Context, db pg.DBTX, since time.Time) (int64, error) {
	tag, err := db.Exec(ctx, `UPDATE outbox SET published_at = NULL WHERE published_at IS NOT NULL AND time >= $1`, since)
	if err != nil {
		return 0, fmt.Errorf("replay the outbox: %w", pg.Err(err))
	}
	if _, err := db.Exec(ctx, "SELECT pg_notify($1, '')", notifyChannel); err != nil {
		return 0, fmt.Errorf("wake the relay: %w", pg.Err(err))
	}
	return tag.RowsAffected(), nil
}
