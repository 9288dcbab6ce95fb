package events_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
)

// TestSlowEvent: an event that takes longer than it may, whoever cuts it off, is tried a few times and steps aside. It is tried again by
// itself, without holding up those behind it, and is done once it is quick.
func TestSlowEvent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		option  string        // of the consumer's database
		timeout time.Duration // of the consumer
	}{
		"cut off by the consumer": {"", 300 * time.Millisecond},
		"cut off by the database": {"&statement_timeout=300", 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupOn(t, pgtest.New(t, nil), pgtest.Open(t, pgtest.NewURL(t, effects())+c.option))
			b.relay()
			var calls atomic.Int32
			var quick atomic.Bool
			h := events.On(userChanged(), func(ctx context.Context, tx pgx.Tx, e events.Event[changed]) error {
				if e.Subject == "slow" && !quick.Load() {
					calls.Add(1)
					_, err := tx.Exec(ctx, "SELECT pg_sleep(60)")
					return pg.Err(err)
				}
				_, err := tx.Exec(ctx, "INSERT INTO effects (subject, n) VALUES ($1, $2)", e.Subject, e.Data.N)
				return err
			})
			b.publish("a", 1, 3)
			b.publish("slow", 1, 1)
			b.publish("a", 4, 3)
			b.allPublished()
			b.run(events.NewConsumer(events.ConsumerConfig{
				Name: "test", Pool: b.consumer, JS: b.js, Handlers: []events.Handler{h}, Timeout: c.timeout, RetryDead: time.Second,
			}))
			b.eventually("a", 6)
			require.LessOrEqual(t, calls.Load(), int32(5), "three times by itself, once in a group, and perhaps once more as a dead letter")
			require.Equal(t, 1, deadLetters(t, b))
			letters, err := events.ListDeadLetters(t.Context(), b.consumer, events.DeadLetterFilter{})
			require.NoError(t, err)
			require.Equal(t, string(errs.Timeout), letters[0].Kind)
			require.NotNil(t, letters[0].RetryAt)

			tried := calls.Load()
			require.True(t, poll(soon, func() bool { return calls.Load() > tried }), "it is tried again by itself")
			b.publish("a", 7, 1)
			b.eventually("a", 7)
			quick.Store(true)
			b.eventually("slow", 1)
			require.True(t, poll(soon, func() bool { return deadLetters(t, b) == 0 }))
		})
	}
}

// TestDeadLetterThatMayNotPass: what was refused as wrong waits for a person. Things may have changed when it is tried again, and then it
// would be done although it was wrong.
func TestDeadLetterThatMayNotPass(t *testing.T) {
	t.Parallel()
	for kind, again := range map[errs.Kind]bool{
		errs.Internal: true, errs.NotFound: true,
		errs.Malformed: false, errs.Invalid: false, errs.Forbidden: false, errs.Precondition: false,
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.relay()
			var calls atomic.Int32
			b.run(events.NewConsumer(events.ConsumerConfig{
				Name: "test", Pool: b.consumer, JS: b.js, RetryDead: 100 * time.Millisecond,
				Handlers: []events.Handler{events.On(userChanged(), func(context.Context, pgx.Tx, events.Event[changed]) error {
					calls.Add(1)
					return errs.New(kind, "refused", "Refused.")
				})},
			}))
			b.publish("a", 1, 1)
			require.True(t, poll(soon, func() bool { return deadLetters(t, b) == 1 }))
			letters, err := events.ListDeadLetters(t.Context(), b.consumer, events.DeadLetterFilter{})
			require.NoError(t, err)
			require.Equal(t, again, letters[0].RetryAt != nil)
			if again {
				tried := calls.Load()
				require.True(t, poll(soon, func() bool { return calls.Load() > tried+1 }), "twice at least: it stays, and so does its next time")
				return
			}
			replay(t, b, letters[0]) // by a person
			require.True(t, poll(soon, func() bool {
				return scan[int](t, b.consumer, "SELECT count(*) FROM dead_letters WHERE replay_requested_at IS NULL AND retry_at IS NULL AND attempts > $1",
					letters[0].Attempts) == 1
			}))
		})
	}
}
