package store_test

import (
	"context"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	metricnoop "go.opentelemetry.io/otel/metric/noop"

	"github.com/atrium-mesh/atrium/services/notifications/internal/store"
	"github.com/atrium-mesh/atrium/services/notifications/internal/tickets"
)

func TestExpiredTicketsArePruned(t *testing.T) {
	t.Parallel()
	s, _ := setup(t)
	add := func(name string, lifetime time.Duration) [sha256.Size]byte {
		hash := sha256.Sum256([]byte(name))
		require.NoError(t, s.InTx(t.Context(), func(tx *store.Tx) error {
			_, err := tx.AddTicket(t.Context(), tickets.Ticket{
				Hash: hash, Recipient: uuid.Must(uuid.NewV7()), Sealed: []byte("sealed"), NotAfter: time.Now().Add(time.Hour),
			}, lifetime)
			return err
		}))
		return hash
	}
	for _, name := range []string{"a", "b", "c"} {
		add(name, -time.Minute)
	}
	fresh := add("fresh", time.Minute)
	n, err := s.PurgeTickets(t.Context(), 2)
	require.NoError(t, err)
	require.EqualValues(t, 2, n, "so many at a time")

	service, err := tickets.New(func(context.Context, func(tickets.Tx) error) error { return nil }, metricnoop.NewMeterProvider())
	require.NoError(t, err)
	require.NoError(t, service.Prune(t.Context(), s))
	left, err := s.CountAllTickets(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, left)
	require.NoError(t, s.InTx(t.Context(), func(tx *store.Tx) error {
		taken, err := tx.TakeTicket(t.Context(), fresh)
		require.True(t, taken.Fresh)
		return err
	}))
}
