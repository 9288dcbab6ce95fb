package events_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
)

func TestFaults(t *testing.T) {
	t.Parallel()

	t.Run("killed between publishing and marking: the event is sent again and has one effect", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		stop := b.relay()
		b.consume(b.consumer, record())
		b.publish("a", 1, 5)
		b.eventually("a", 5)
		b.allPublished()
		stop()
		_, err := b.producer.Exec(t.Context(), "UPDATE outbox SET published_at = NULL")
		require.NoError(t, err)
		b.relay()
		b.allPublished()
		b.publish("a", 6, 1)
		b.eventually("a", 6)
	})

	t.Run("sent again after JetStream has forgotten it: an event has one effect", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.relay()
		b.consume(b.consumer, record())
		b.publish("a", 1, 5)
		b.eventually("a", 5)
		stream, err := b.js.Stream(t.Context(), "USERS")
		require.NoError(t, err)
		for seq := range uint64(5) {
			known, err := stream.GetMsg(t.Context(), seq+1)
			require.NoError(t, err)
			known.Header.Del("Nats-Msg-Id")
			known.Header.Del("Nats-Expected-Last-Sequence")
			_, err = b.js.PublishMsg(t.Context(), &nats.Msg{Subject: known.Subject, Header: known.Header, Data: known.Data})
			require.NoError(t, err)
		}
		b.publish("a", 6, 1)
		b.eventually("a", 6)
	})

	t.Run("sessions are killed again and again", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.relay()
		b.consume(b.consumer, record())
		n := 0
		for kills := 0; kills < 8; {
			for range 20 {
				n++
				b.publish("a", n, 1)
				b.publish("b", n, 1)
			}
			for _, pool := range []*pgxpool.Pool{b.producer, b.consumer} {
				kills += scan[int](t, pool, `SELECT count(pg_terminate_backend(l.pid)) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
					WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database()`)
			}
		}
		b.eventually("a", n)
		b.eventually("b", n)
	})

	t.Run("NATS goes and comes back", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.relay()
		b.consume(b.consumer, record())
		b.publish("a", 1, 3)
		b.eventually("a", 3)
		b.nats.Stop()
		b.publish("a", 4, 400) // more than a batch
		b.nats.Start()
		b.eventually("a", 403)
		b.allPublished()
	})

	t.Run("NATS is killed while events flow", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.relay()
		b.consume(b.consumer, record())
		var wg sync.WaitGroup
		wg.Go(func() { b.publish("a", 1, 600) })
		for range 4 {
			seen := len(effectsOf(t, b.consumer, "a"))
			poll(soon, func() bool { n := len(effectsOf(t, b.consumer, "a")); return n > seen || n == 600 })
			b.nats.Stop()
			b.nats.Start()
		}
		wg.Wait()
		b.eventually("a", 600)
	})

	t.Run("NATS loses everything: the outbox is published again, and only what was missed has an effect", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.relay()
		stop := b.consume(b.consumer, record())
		b.publish("a", 1, 5)
		b.eventually("a", 5)
		stop()
		b.publish("a", 6, 5) // published, not consumed
		b.allPublished()
		b.nats.Stop()
		b.nats.StartEmpty()
		b.consume(b.consumer, record())
		b.publish("a", 11, 1)
		b.eventually("a", 11)
	})

	t.Run("a consumer that starts before there is a stream", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.consume(b.consumer, record())
		b.publish("a", 1, 2)
		b.relay()
		b.eventually("a", 2)
	})

	t.Run("PostgreSQL goes and comes back", func(t *testing.T) {
		t.Parallel()
		server := pgtest.StartServer(t)
		producer, consumer := pgtest.Open(t, server.URL("producer")), pgtest.Open(t, server.URL("consumer"))
		require.NoError(t, pg.Migrate(t.Context(), producer, nil))
		require.NoError(t, pg.Migrate(t.Context(), consumer, effects()))
		b := setupOn(t, producer, consumer)
		b.relay()
		b.consume(b.consumer, record())
		b.publish("a", 1, 3)
		b.eventually("a", 3)
		server.Stop()
		err := pg.InTx(t.Context(), producer, func(pgx.Tx) error { return nil })
		require.ErrorIs(t, err, errs.Unavailable)
		server.Start()
		producer.Reset() // its connections are dead
		b.publish("a", 4, 3)
		b.eventually("a", 6)
	})

	t.Run("replay on request: known events have no second effect", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.relay()
		b.consume(b.consumer, record())
		b.publish("a", 1, 5)
		b.eventually("a", 5)
		b.allPublished()
		n, err := events.Replay(t.Context(), b.producer, time.Now().Add(-time.Hour))
		require.NoError(t, err)
		require.EqualValues(t, 5, n)
		b.allPublished()
		b.publish("a", 6, 1)
		b.eventually("a", 6)
		n, err = events.Replay(t.Context(), b.producer, time.Now().Add(time.Hour))
		require.NoError(t, err)
		require.Zero(t, n)
	})
}

// A message that a former leader received and did not settle comes to the next one first, and at once.
func TestTakeover(t *testing.T) {
	t.Parallel()
	url := pgtest.NewURL(t, effects())
	b := setupOn(t, pgtest.New(t, nil), pgtest.Open(t, url))
	b.relay()
	stuck := make(chan struct{})
	var once sync.Once
	hang := events.On(userChanged(), func(ctx context.Context, _ pgx.Tx, _ events.Event[changed]) error {
		once.Do(func() { close(stuck) })
		<-ctx.Done()
		return ctx.Err()
	})
	stop := b.consume(b.consumer, hang)
	b.publish("a", 1, 50)
	<-stuck
	stop()
	b.consume(pgtest.Open(t, url), record())
	begin := time.Now()
	b.eventually("a", 50)
	require.Less(t, time.Since(begin), 10*time.Second, "the ack wait is longer")
}

func TestRetry(t *testing.T) {
	t.Parallel()

	t.Run("what is away is tried again in place, so that order holds", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.relay()
		var calls atomic.Int32
		b.consume(b.consumer, events.On(userChanged(), func(ctx context.Context, tx pgx.Tx, e events.Event[changed]) error {
			_, err := tx.Exec(ctx, "INSERT INTO effects (subject, n) VALUES ($1, $2)", e.Subject, e.Data.N)
			if e.Data.N == 2 && calls.Add(1) <= 6 { // more often than a fault of ours may
				return errs.New(errs.Unavailable, "away", "Away.")
			}
			return err
		}))
		b.publish("a", 1, 5)
		b.eventually("a", 5)
		require.Zero(t, deadLetters(t, b))
	})

	t.Run("a fault of ours is tried five times", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.relay()
		var calls atomic.Int32
		b.consume(b.consumer, events.On(userChanged(), func(ctx context.Context, tx pgx.Tx, e events.Event[changed]) error {
			if e.Data.N == 0 {
				calls.Add(1)
				panic("bug")
			}
			_, err := tx.Exec(ctx, "INSERT INTO effects (subject, n) VALUES ($1, $2)", e.Subject, e.Data.N)
			return err
		}))
		b.publish("a", 0, 1)
		require.True(t, poll(soon, func() bool { return deadLetters(t, b) == 1 }))
		require.EqualValues(t, 5, calls.Load())
		b.publish("a", 1, 1)
		b.eventually("a", 1)
	})
}

func deadLetters(t *testing.T, b *bundle) int {
	t.Helper()
	letters, err := events.ListDeadLetters(t.Context(), b.consumer, events.DeadLetterFilter{})
	require.NoError(t, err)
	return len(letters)
}

func TestDeadLetters(t *testing.T) {
	t.Parallel()

	t.Run("a poison event steps aside, and is handled when it is replayed", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.relay()
		var fixed atomic.Bool
		b.consume(b.consumer, events.On(userChanged(), func(ctx context.Context, tx pgx.Tx, e events.Event[changed]) error {
			_, err := tx.Exec(ctx, "INSERT INTO effects (subject, n) VALUES ($1, $2)", e.Subject, e.Data.N)
			if e.Subject == "poison" && !fixed.Load() {
				return errs.New(errs.Invalid, "poison", "Cannot be.").WithCause(errors.New("the reason \x00 behind"))
			}
			return err
		}))
		b.publish("poison", 1, 1)
		b.publish("a", 1, 3)
		b.eventually("a", 3)
		require.Empty(t, effectsOf(t, b.consumer, "poison"), "its effect is rolled back")

		letters, err := events.ListDeadLetters(t.Context(), b.consumer, events.DeadLetterFilter{Consumer: "test", Type: userChanged().Name})
		require.NoError(t, err)
		require.Len(t, letters, 1)
		letter := letters[0]
		require.Equal(t, "poison", letter.Code)
		require.Equal(t, "invalid", letter.Kind)
		require.Equal(t, "poison", letter.Subject)
		require.Contains(t, letter.Error, "the reason")
		require.JSONEq(t, `{"n": 1}`, string(letter.Data))

		replay(t, b, letter) // too early: it fails again and stays
		require.True(t, poll(soon, func() bool {
			return scan[int](t, b.consumer, "SELECT count(*) FROM dead_letters WHERE replay_requested_at IS NULL AND attempts > $1", letter.Attempts) == 1
		}))
		fixed.Store(true)
		replay(t, b, letter)
		b.eventually("poison", 1)
		require.Zero(t, deadLetters(t, b))
		all, err := events.ListDeadLetters(t.Context(), b.consumer, events.DeadLetterFilter{Resolved: true})
		require.NoError(t, err)
		require.Len(t, all, 1)
		require.NotNil(t, all[0].ResolvedAt)
	})

	t.Run("a conflict at a replay means that it is done", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.relay()
		b.consume(b.consumer, events.On(userChanged(), func(ctx context.Context, tx pgx.Tx, _ events.Event[changed]) error {
			_, err := tx.Exec(ctx, "INSERT INTO effects (seq, subject, n) VALUES (1, 'x', 1), (1, 'x', 1)")
			return pg.Err(err)
		}))
		b.publish("a", 1, 1)
		require.True(t, poll(soon, func() bool { return deadLetters(t, b) == 1 }))
		n, err := events.ReplayDeadLetters(t.Context(), b.consumer)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		require.True(t, poll(soon, func() bool { return deadLetters(t, b) == 0 }))
	})

	t.Run("what is not an event of ours, or cannot be decoded", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.relay()
		b.consume(b.consumer, record())
		b.publish("a", 1, 1)
		b.eventually("a", 1)
		_, err := b.js.Publish(t.Context(), "events.users.user.changed.v1", []byte("\xff\x00 not JSON"))
		require.NoError(t, err)
		_, err = b.producer.Exec(t.Context(), `INSERT INTO outbox (id, type, source, subject, org_id, actor, time, data)
			VALUES (gen_random_uuid(), 'users.user.changed.v1', '/x', 'b', 'default', 'x', now(), '{"n": "one"}')`)
		require.NoError(t, err)
		b.publish("a", 2, 1)
		b.eventually("a", 2)
		require.True(t, poll(soon, func() bool { return deadLetters(t, b) == 2 }))
	})

	t.Run("types without a handler, and unknown fields, are no matter", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.relay()
		b.consume(b.consumer, record())
		type newer struct {
			N     int    `json:"n"`
			Extra string `json:"extra"`
		}
		require.NoError(t, pg.InTx(t.Context(), b.producer, func(tx pgx.Tx) error {
			if err := events.Publish(t.Context(), tx, events.Define[changed]("users.user.other.v1"), "a", changed{N: 7}); err != nil {
				return err
			}
			return events.Publish(t.Context(), tx, events.Define[newer]("users.user.changed.v1"), "a", newer{N: 1, Extra: "x"})
		}))
		b.eventually("a", 1)
		require.Zero(t, deadLetters(t, b))
		cons, err := b.js.Consumer(t.Context(), "USERS", "test")
		require.NoError(t, err)
		require.True(t, poll(soon, func() bool {
			info, err := cons.Info(t.Context())
			return err == nil && info.NumPending == 0 && info.NumAckPending == 0
		}))
	})
}

func replay(t *testing.T, b *bundle, letter events.DeadLetter) {
	t.Helper()
	n, err := events.ReplayDeadLetters(t.Context(), b.consumer, letter.ID)
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
}
