package stream

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/notifications/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/notifications"
)

// shelf is a table of one person's notifications, numbered from 1.
type shelf struct {
	items  []notifications.Item
	unread int64
	broken error
}

func (s *shelf) add(n int) {
	for range n {
		id, _ := uuid.NewV7()
		s.items = append(s.items, notifications.Item{Notification: api.Notification{ID: id}, Seq: int64(len(s.items) + 1)})
		s.unread++
	}
}

func (s *shelf) NotificationsSince(_ context.Context, _ uuid.UUID, seq int64, most int32) ([]notifications.Item, error) {
	return s.items[seq:min(len(s.items), int(seq)+int(most))], s.broken
}

func (s *shelf) LastSeq(context.Context, uuid.UUID) (int64, error) {
	if len(s.items) == 0 {
		return 0, errs.NotFound
	}
	return int64(len(s.items)), s.broken
}

func (s *shelf) LastSeqBefore(_ context.Context, _, id uuid.UUID) (int64, error) {
	for _, item := range s.items {
		if item.ID == id {
			return item.Seq, nil
		}
	}
	return 0, s.broken
}

func (s *shelf) CountUnread(context.Context, uuid.UUID) (int64, error) { return s.unread, s.broken }

// record is a session that keeps what it sends.
func record(table Table) (*session, *[]message) {
	var sent []message
	return &session{table: table, unread: -1, send: func(_ context.Context, m message) error {
		sent = append(sent, m)
		return nil
	}}, &sent
}

func TestCatchUp(t *testing.T) {
	t.Parallel()

	t.Run("everything once, in order, then the count when it has changed", func(t *testing.T) {
		t.Parallel()
		table := &shelf{}
		table.add(250)
		s, sent := record(table)
		require.NoError(t, s.catchUp(t.Context()))
		require.NoError(t, s.catchUp(t.Context()))
		require.Len(t, *sent, 251)
		for i, item := range table.items {
			require.Equal(t, item.ID.String(), (*sent)[i].ID)
		}
		require.Equal(t, unread(250), (*sent)[250])
	})

	t.Run("more than is replayed is left to the list", func(t *testing.T) {
		t.Parallel()
		table := &shelf{}
		table.add(1500)
		s, sent := record(table)
		require.NoError(t, s.catchUp(t.Context()))
		require.Len(t, *sent, 1002)
		require.Equal(t, typeResync, (*sent)[1000].Type)
		require.EqualValues(t, 1500, s.seq)
	})

	t.Run("a table that is away is read later", func(t *testing.T) {
		t.Parallel()
		table := &shelf{broken: errs.Unavailable}
		table.add(1)
		s, sent := record(table)
		require.NoError(t, s.catchUp(t.Context()))
		require.Empty(t, *sent)
		table.broken = nil
		require.NoError(t, s.catchUp(t.Context()))
		require.Len(t, *sent, 2)
	})
}

func TestStart(t *testing.T) {
	t.Parallel()
	table := &shelf{}
	seq, err := start(t.Context(), table, uuid.Nil, "")
	require.NoError(t, err)
	require.Zero(t, seq, "somebody not known yet")
	table.add(3)
	seq, err = start(t.Context(), table, uuid.Nil, "")
	require.NoError(t, err)
	require.EqualValues(t, 3, seq, "only what is new")
	seq, err = start(t.Context(), table, uuid.Nil, table.items[1].ID.String())
	require.NoError(t, err)
	require.EqualValues(t, 2, seq)
	_, err = start(t.Context(), table, uuid.Nil, "nonsense")
	require.ErrorIs(t, err, errs.Invalid)
}

func TestRun(t *testing.T) {
	t.Parallel()

	t.Run("a heartbeat also finds what no wake-up told", func(t *testing.T) {
		t.Parallel()
		table := &shelf{}
		table.add(1)
		beat, stopping, sent := make(chan time.Time), make(chan struct{}), make(chan message, 8)
		s := &session{table: table, seq: 1, unread: 1, send: func(_ context.Context, m message) error { sent <- m; return nil }}
		result := make(chan ending, 1)
		go func() {
			e, _ := s.run(t.Context(), limits{beat: beat, stopping: stopping}, time.Now)
			result <- e
		}()
		beat <- time.Now()
		require.Equal(t, typePing, (<-sent).Type)
		table.add(1)
		beat <- time.Now()
		require.Equal(t, typeNotification, (<-sent).Type)
		require.Equal(t, unread(2), <-sent)
		require.Equal(t, typePing, (<-sent).Type)
		close(stopping)
		require.Equal(t, endRestart(), <-result)
	})

	t.Run("a client that fails ends it", func(t *testing.T) {
		t.Parallel()
		for _, failure := range []error{errSlow, errors.New("gone")} {
			s := &session{table: &shelf{unread: 1}, unread: -1, send: func(context.Context, message) error { return failure }}
			_, err := s.run(t.Context(), limits{}, time.Now)
			require.ErrorIs(t, err, failure)
		}
	})

	t.Run("the codes are those of the contract", func(t *testing.T) {
		t.Parallel()
		for e, code := range map[ending]websocket.StatusCode{endRevoked(): 4401, endExpired(): 4408, endSlow(): 4413, endRestart(): 1012} {
			require.Equal(t, code, e.Code)
			require.Contains(t, api.StreamNotifications.Description, e.Reason)
		}
	})
}
