package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/notifications/internal/notifications"
)

const (
	heartbeat   = 20 * time.Second
	pageSize    = 100
	replayMost  = 1000             // more than that is read as a list
	writeWithin = 10 * time.Second // a message that is not taken by then ends the stream without another word
	slowAfter   = 5 * time.Second  // one that took longer than this ends it with a close code
)

// Table is what streams read.
type Table interface {
	NotificationsSince(ctx context.Context, recipient uuid.UUID, seq int64, most int32) ([]notifications.Item, error)
	LastSeq(ctx context.Context, recipient uuid.UUID) (int64, error)
	LastSeqBefore(ctx context.Context, recipient, id uuid.UUID) (int64, error)
	CountUnread(ctx context.Context, recipient uuid.UUID) (int64, error)
}

// errSlow is a client that takes its messages too slowly.
var errSlow = errors.New("the client is too slow")

// session is one stream from when it opens until it ends.
type session struct {
	table     Table
	recipient uuid.UUID
	send      func(ctx context.Context, m message) error
	seq       int64 // of the last notification that was sent
	unread    int64 // as it was last sent; -1 before that
}

// start finds where to begin: after the notification that the client received last, or with what is made from now on.
func start(ctx context.Context, table Table, recipient uuid.UUID, lastEventID string) (int64, error) {
	if lastEventID == "" {
		seq, err := table.LastSeq(ctx, recipient)
		if errors.Is(err, errs.NotFound) {
			return 0, nil // not known here yet: everything is new
		}
		return seq, err
	}
	id, err := uuid.Parse(lastEventID)
	if err != nil {
		return 0, errs.InvalidField("query.last_event_id", "format", "must be the id of a notification")
	}
	return table.LastSeqBefore(ctx, recipient, id)
}

// limits are what ends a stream from outside.
type limits struct {
	revoked  <-chan struct{}
	expired  <-chan time.Time
	stopping <-chan struct{}
	beat     <-chan time.Time
	wake     <-chan struct{}
}

// run sends what there is until something ends the stream. The error is of a client that is gone or too slow.
func (s *session) run(ctx context.Context, l limits, now func() time.Time) (ending, error) {
	if err := s.catchUp(ctx); err != nil {
		return ending{}, err
	}
	for {
		select {
		case <-ctx.Done():
			return ending{}, ctx.Err()
		case <-l.revoked:
			return endRevoked(), nil
		case <-l.expired:
			return endExpired(), nil
		case <-l.stopping:
			return endRestart(), nil
		case <-l.wake:
			if err := s.catchUp(ctx); err != nil {
				return ending{}, err
			}
		case <-l.beat:
			if err := s.catchUp(ctx); err != nil {
				return ending{}, err
			}
			if err := s.send(ctx, message{Type: typePing, Data: ping{now().UTC()}}); err != nil {
				return ending{}, err
			}
		}
	}
}

// catchUp sends every notification that is newer than the last, and the unread count when it has changed. What cannot be read now, since
// the database is away, is read at the next heartbeat.
func (s *session) catchUp(ctx context.Context) error {
	for sent := 0; ; {
		items, err := s.table.NotificationsSince(ctx, s.recipient, s.seq, pageSize)
		if err != nil {
			return ctx.Err()
		}
		for _, item := range items {
			if err := s.send(ctx, message{Type: typeNotification, ID: item.ID.String(), Data: item.Notification}); err != nil {
				return fmt.Errorf("send a notification: %w", err)
			}
			s.seq = item.Seq
		}
		if sent += len(items); len(items) < pageSize {
			break
		}
		if sent >= replayMost {
			if err := s.resync(ctx); err != nil {
				return err
			}
			break
		}
	}
	n, err := s.table.CountUnread(ctx, s.recipient)
	if err != nil || n == s.unread {
		return ctx.Err()
	}
	s.unread = n
	return s.send(ctx, unread(n))
}

// resync leaves out what is too much to replay and says so.
func (s *session) resync(ctx context.Context) error {
	seq, err := s.table.LastSeq(ctx, s.recipient)
	if err != nil {
		return ctx.Err()
	}
	s.seq = seq
	return s.send(ctx, message{Type: typeResync, Data: empty{}})
}
