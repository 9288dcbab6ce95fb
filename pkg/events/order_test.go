package events_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/pg"
)

func TestOrder(t *testing.T) {
	t.Parallel()

	t.Run("what follows an event that JetStream did not take waits for it", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.relay()
		b.consume(b.consumer, record())
		b.publish("a", 1, 1)
		b.eventually("a", 1)
		stream, err := b.js.Stream(t.Context(), "USERS")
		require.NoError(t, err)
		cfg := stream.CachedInfo().Config
		cfg.MaxMsgSize = 2000 // until the relay brings the stream up to date again
		_, err = b.js.UpdateStream(t.Context(), cfg)
		require.NoError(t, err)
		require.NoError(t, pg.InTx(t.Context(), b.producer, func(tx pgx.Tx) error {
			for n, name := range []string{"", strings.Repeat("x", 3000), ""} {
				if err := events.Publish(t.Context(), tx, userChanged(), "a", changed{N: n + 2, Name: name}); err != nil {
					return err
				}
			}
			return nil
		}))
		b.eventually("a", 4)
	})

	t.Run("a poison event among many that arrive together", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.relay()
		require.NoError(t, pg.InTx(t.Context(), b.producer, func(tx pgx.Tx) error {
			for n := range 200 {
				if err := events.Publish(t.Context(), tx, userChanged(), "a", changed{N: n}); err != nil {
					return err
				}
			}
			return nil
		}))
		b.allPublished()
		b.consume(b.consumer, events.On(userChanged(), func(ctx context.Context, tx pgx.Tx, e events.Event[changed]) error {
			n := e.Data.N
			switch {
			case n == 100:
				return errs.New(errs.Invalid, "poison", "Cannot be.")
			case n < 100:
				n++
			}
			_, err := tx.Exec(ctx, "INSERT INTO effects (subject, n) VALUES ($1, $2)", e.Subject, n)
			return err
		}))
		b.eventually("a", 199)
		require.Equal(t, 1, deadLetters(t, b))
	})

	t.Run("what follows a delivery that was lost waits for it", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.relay()
		started, finish := make(chan struct{}), make(chan struct{})
		b.consume(b.consumer, events.On(userChanged(), func(ctx context.Context, tx pgx.Tx, e events.Event[changed]) error {
			if e.Data.N == 1 {
				close(started)
				<-finish
			}
			_, err := tx.Exec(ctx, "INSERT INTO effects (subject, n) VALUES ($1, $2)", e.Subject, e.Data.N)
			return err
		}))
		b.publish("a", 1, 1)
		<-started
		cons, err := b.js.Consumer(t.Context(), "USERS", "test")
		require.NoError(t, err)
		require.True(t, poll(soon, func() bool {
			info, err := cons.Info(t.Context())
			return err == nil && info.NumWaiting == 0
		}), "the consumer still asks for events")
		b.publish("a", 2, 1)
		stolen, err := cons.Fetch(1, jetstream.FetchMaxWait(soon))
		require.NoError(t, err)
		require.NotNil(t, <-stolen.Messages())
		b.publish("a", 3, 2)
		close(finish)
		begin := time.Now()
		b.eventually("a", 4)
		require.Less(t, time.Since(begin), 10*time.Second, "the ack wait is longer")
	})

	t.Run("the last delivery is stolen: nothing comes behind it", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.relay()
		started, finish := make(chan struct{}), make(chan struct{})
		b.consume(b.consumer, events.On(userChanged(), func(ctx context.Context, tx pgx.Tx, e events.Event[changed]) error {
			if e.Data.N == 1 {
				close(started)
				<-finish
			}
			_, err := tx.Exec(ctx, "INSERT INTO effects (subject, n) VALUES ($1, $2)", e.Subject, e.Data.N)
			return err
		}))
		b.publish("a", 1, 1)
		<-started
		cons, err := b.js.Consumer(t.Context(), "USERS", "test")
		require.NoError(t, err)
		require.True(t, poll(soon, func() bool {
			info, err := cons.Info(t.Context())
			return err == nil && info.NumWaiting == 0
		}), "the consumer still asks for events")
		b.publish("a", 2, 1)
		stolen, err := cons.Fetch(1, jetstream.FetchMaxWait(soon))
		require.NoError(t, err)
		require.NotNil(t, <-stolen.Messages())
		close(finish)
		begin := time.Now()
		b.eventually("a", 2)
		require.Less(t, time.Since(begin), 10*time.Second, "the ack wait is longer")
	})
}
