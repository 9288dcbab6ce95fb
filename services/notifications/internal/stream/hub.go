package stream

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"

	"github.com/atrium-mesh/atrium/pkg/errs"
)

// PerPerson is how many streams a person can hold at a replica.
const PerPerson = 20

const subjectPrefix = "live.notifications."

// Hub wakes the streams of this replica. It is safe for concurrent use.
type Hub struct {
	conn   *nats.Conn
	logger *slog.Logger

	mu     sync.Mutex
	people map[uuid.UUID]*person
}

// person is a recipient who has streams here.
type person struct {
	sub     *nats.Subscription
	streams map[chan struct{}]struct{}
}

// NewHub makes a hub over a connection that it does not own.
func NewHub(conn *nats.Conn, logger *slog.Logger) *Hub {
	return &Hub{conn: conn, logger: logger, people: map[uuid.UUID]*person{}}
}

// Announce wakes the streams of these recipients at every replica. It loses wake-ups when NATS is away for long: see the package.
func (h *Hub) Announce(ctx context.Context, recipients ...uuid.UUID) {
	for _, id := range recipients {
		if err := h.conn.Publish(subjectPrefix+id.String(), nil); err != nil {
			h.logger.WarnContext(ctx, "live streams were not told", "error", err, "recipients", len(recipients))
			return
		}
	}
}

// Join returns a channel that receives when there is something new for a recipient, and what ends that, which must be called. One stream
// too many is errs.RateLimited "too_many_streams".
func (h *Hub) Join(recipient uuid.UUID) (<-chan struct{}, func(), error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.people[recipient]
	if p == nil {
		p = &person{streams: map[chan struct{}]struct{}{}}
		sub, err := h.conn.Subscribe(subjectPrefix+recipient.String(), func(*nats.Msg) { h.wake(recipient) })
		if err != nil {
			return nil, nil, errs.New(errs.Unavailable, "stream_unavailable", "Live streams are away for a moment; try again.").
				WithCause(fmt.Errorf("subscribe: %w", err))
		}
		p.sub = sub
		h.people[recipient] = p
	}
	if len(p.streams) >= PerPerson {
		return nil, nil, errs.New(errs.RateLimited, "too_many_streams", "You have too many live streams open; close one.")
	}
	wake := make(chan struct{}, 1)
	p.streams[wake] = struct{}{}
	return wake, sync.OnceFunc(func() { h.leave(recipient, wake) }), nil
}

func (h *Hub) wake(recipient uuid.UUID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.people[recipient]
	if p == nil {
		return
	}
	for wake := range p.streams {
		select {
		case wake <- struct{}{}:
		default: // it is going to look anyway
		}
	}
}

func (h *Hub) leave(recipient uuid.UUID, wake chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.people[recipient]
	delete(p.streams, wake)
	if len(p.streams) > 0 {
		return
	}
	_ = p.sub.Unsubscribe() // fails only on a connection that is closed, which has no subscriptions
	delete(h.people, recipient)
}
