package store_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/services/notifications/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/deliveries"
	"github.com/atrium-mesh/atrium/services/notifications/internal/notifications"
	"github.com/atrium-mesh/atrium/services/notifications/internal/recipients"
	"github.com/atrium-mesh/atrium/services/notifications/internal/store"
	"github.com/atrium-mesh/atrium/services/notifications/internal/templates"
)

func registered(t *testing.T, s *store.Store) uuid.UUID {
	t.Helper()
	id := newID(t)
	require.NoError(t, s.InTx(t.Context(), func(tx *store.Tx) error {
		return tx.Register(t.Context(), recipients.Registration{ID: id, OrgID: "default", Email: id.String() + "@example.com"})
	}))
	return id
}

func tell(t *testing.T, s *store.Store, cause uuid.UUID, at time.Time, to ...uuid.UUID) []notifications.Made {
	t.Helper()
	var made []notifications.Made
	require.NoError(t, s.InTx(t.Context(), func(tx *store.Tx) error {
		var err error
		made, err = notifications.Tell(t.Context(), tx, notifications.Telling{
			Cause: cause, Recipients: to, Category: api.CategoryProduct, Title: "News", Body: "All is well.", At: at,
		})
		return err
	}))
	return made
}

// TestNumbersFollowCommits writes from many sides at once while a reader follows by number: the reader misses nothing.
func TestNumbersFollowCommits(t *testing.T) {
	t.Parallel()
	s, _ := setup(t)
	ada, grace := registered(t, s), registered(t, s)
	const writers, each = 6, 20
	var done sync.WaitGroup
	for range writers {
		done.Go(func() {
			for range each {
				tell(t, s, newID(t), time.Now(), ada, grace)
			}
		})
	}
	var seen []int64
	for after := int64(0); len(seen) < writers*each; {
		items, err := s.NotificationsSince(t.Context(), ada, after, 7)
		require.NoError(t, err)
		for _, item := range items {
			seen = append(seen, item.Seq)
			after = item.Seq
		}
	}
	done.Wait()
	for i, seq := range seen {
		require.EqualValues(t, i+1, seq, "without a gap")
	}
	last, err := s.LastSeq(t.Context(), grace)
	require.NoError(t, err)
	require.EqualValues(t, writers*each, last)
}

func TestNobodyIsToldTwiceOfOneCause(t *testing.T) {
	t.Parallel()
	s, _ := setup(t)
	ada, grace, cause := registered(t, s), registered(t, s), newID(t)
	require.Len(t, tell(t, s, cause, time.Now(), ada), 1)
	made := tell(t, s, cause, time.Now(), ada, grace, newID(t))
	require.Len(t, made, 1, "who was told, and who is not known, is left out")
	require.Equal(t, grace, made[0].Recipient)

	order := deliveries.Order{Cause: cause, Template: templates.Reset, Recipients: []deliveries.To{{ID: ada, OrgID: "default"}}, At: time.Now()}
	for _, want := range []int{1, 0} {
		require.NoError(t, s.InTx(t.Context(), func(tx *store.Tx) error {
			n, err := deliveries.Queue(t.Context(), tx, order)
			require.Equal(t, want, n)
			return err
		}))
	}
	order.Template = "gossip"
	require.ErrorIs(t, s.InTx(t.Context(), func(tx *store.Tx) error {
		_, err := deliveries.Queue(t.Context(), tx, order)
		return err
	}), templates.ErrUnknown)
}

func TestPurge(t *testing.T) {
	t.Parallel()
	s, pool := setup(t)
	ada := registered(t, s)
	long := time.Now().Add(-100 * 24 * time.Hour)
	tell(t, s, newID(t), long, ada)
	tell(t, s, newID(t), time.Now(), ada)
	for _, template := range []templates.Name{templates.Reset, templates.Welcome} {
		require.NoError(t, s.InTx(t.Context(), func(tx *store.Tx) error {
			_, err := deliveries.Queue(t.Context(), tx, deliveries.Order{Cause: newID(t), Template: template, Recipients: []deliveries.To{{ID: ada, OrgID: "default"}}, At: long})
			return err
		}))
	}
	_, err := pool.Exec(t.Context(), "UPDATE deliveries SET updated_at = $1, state = CASE template WHEN 'reset' THEN 'sent' ELSE 'failed' END", long)
	require.NoError(t, err)
	before := time.Now().Add(-90 * 24 * time.Hour)
	for _, purge := range []func() (int64, error){
		func() (int64, error) { return s.PurgeNotifications(t.Context(), before, 10) },
		func() (int64, error) { return s.PurgeDeliveries(t.Context(), before, 10) },
	} {
		for _, want := range []int64{1, 0} {
			n, err := purge()
			require.NoError(t, err)
			require.Equal(t, want, n, "what is settled and old, and nothing else")
		}
	}
	n, err := s.PurgeSends(t.Context(), before, 10)
	require.NoError(t, err)
	require.Zero(t, n)
	_, err = s.PurgeIdempotencyKeys(t.Context())
	require.NoError(t, err)
	items, err := s.NotificationsSince(t.Context(), ada, 0, 10)
	require.NoError(t, err)
	require.True(t, slices.ContainsFunc(items, func(i notifications.Item) bool { return i.Seq == 2 }), "numbers stay")
}
