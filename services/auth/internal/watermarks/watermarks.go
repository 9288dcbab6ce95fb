// Package watermarks owns the list of revocations that every verifier polls.
//
// A cursor must never pass a row that is not visible yet: a transaction takes its numbers and times when it writes, and may commit long
// after others that came later. So the list is ordered by transaction, and a cursor stays at the oldest transaction that has not ended.
// What changed since is told again: watermarks only rise, so that telling one twice changes nothing.
package watermarks

import (
	"context"
	"fmt"
	"time"

	"github.com/atrium-mesh/atrium/pkg/page"
	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/services/auth/api"
)

// Position is a place in the list: after the watermark with this number of this transaction.
type Position struct {
	Xact int64 `json:"x"`
	Seq  int64 `json:"s,omitempty"`
}

// Mark is a watermark with its place in the list.
type Mark struct {
	token.Watermark
	Position
}

// Store keeps watermarks.
type Store interface {
	// OldestTransaction is the oldest one that has not ended: of older ones, everything that will ever be seen is seen now.
	OldestTransaction(ctx context.Context) (int64, error)
	// Watermarks are those in force after a position.
	Watermarks(ctx context.Context, after Position, now time.Time, limit int32) ([]Mark, error)
}

// pageSize keeps an answer well below the largest NATS message of 1 MiB.
const pageSize = 2000

// scope is what cursors are signed for.
const scope = "watermarks"

// cursor is where to go on, and to which transaction to go back when the end is reached.
type cursor struct {
	Back int64    `json:"b"`
	At   Position `json:"a"`
}

// List answers the polls of verifiers.
type List struct {
	store   Store
	cursors *page.Cursors
	clock   func() time.Time
	size    int32
}

// NewList makes a list. A nil clock is time.Now.
func NewList(store Store, cursors *page.Cursors, clock func() time.Time) *List {
	if clock == nil {
		clock = time.Now
	}
	return &List{store: store, cursors: cursors, clock: clock, size: pageSize}
}

// List implements [api.ListWatermarks].
func (l *List) List(ctx context.Context, in *api.ListWatermarksRequest) (*api.ListWatermarksResponse, error) {
	oldest, err := l.store.OldestTransaction(ctx) // before the rows are read
	if err != nil {
		return nil, fmt.Errorf("list watermarks: %w", err)
	}
	at, err := l.resume(in.Cursor, oldest)
	if err != nil {
		return nil, err
	}
	marks, err := l.store.Watermarks(ctx, at.At, l.clock(), l.size)
	if err != nil {
		return nil, fmt.Errorf("list watermarks: %w", err)
	}
	next := cursor{Back: at.Back, At: before(at.Back)}
	if len(marks) == int(l.size) { // there may be more
		next.At = marks[len(marks)-1].Position
	}
	out := &api.ListWatermarksResponse{Items: make([]token.Watermark, len(marks))}
	for i, m := range marks {
		out.Items[i] = m.Watermark
	}
	if out.Next, err = l.cursors.Encode(scope, next); err != nil {
		return nil, fmt.Errorf("list watermarks: %w", err)
	}
	return out, nil
}

// resume reads a cursor. At the beginning of a round it goes back to what may have become visible since the last, and remembers the
// oldest open transaction of now for the next.
func (l *List) resume(raw string, oldest int64) (cursor, error) {
	if raw == "" {
		return cursor{Back: oldest}, nil
	}
	var c cursor
	if err := l.cursors.Decode(scope, raw, &c); err != nil {
		return cursor{}, err
	}
	if c.Back > oldest { // another server, or an older copy of it: its transactions are numbered anew
		return cursor{Back: oldest}, nil
	}
	if c.At == before(c.Back) {
		c.Back = oldest
	}
	return c, nil
}

// before is the position in front of everything that a transaction wrote.
func before(xact int64) Position { return Position{Xact: xact - 1, Seq: maxSeq} }

const maxSeq = 1<<63 - 1

// Poll is [List.List] for the verifier of auth itself, which need not ask over NATS.
func (l *List) Poll(ctx context.Context, raw string) ([]token.Watermark, string, error) {
	out, err := l.List(ctx, &api.ListWatermarksRequest{Cursor: raw})
	if err != nil {
		return nil, raw, err
	}
	return out.Items, out.Next, nil
}
