package events_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/natstest"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
)

func TestMain(m *testing.M) {
	natstest.Main()
	goleak.VerifyTestMain(m)
}

type changed struct {
	N    int    `json:"n"`
	Name string `json:"name,omitempty"`
}

func userChanged() events.Type[changed] { return events.Define[changed]("users.user.changed.v1") }

const soon = 30 * time.Second

// bundle is a producer with its database, a consumer with another, and NATS between them.
type bundle struct {
	t        testing.TB
	nats     *natstest.Server
	js       jetstream.JetStream
	producer *pgxpool.Pool
	consumer *pgxpool.Pool
}

func setup(t testing.TB) *bundle {
	t.Helper()
	return setupOn(t, pgtest.New(t, nil), pgtest.New(t, effects()))
}

func setupOn(t testing.TB, producer, consumer *pgxpool.Pool) *bundle {
	t.Helper()
	server := natstest.StartServer(t)
	return &bundle{t: t, nats: server, js: jetStream(t, server.Connect(t)), producer: producer, consumer: consumer}
}

func jetStream(t testing.TB, nc *nats.Conn) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	return js
}

type component interface {
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
}

// run starts a component; it stops at the end of the test, or before by the function returned.
func (b *bundle) run(c component) (stop func()) {
	b.t.Helper()
	require.NoError(b.t, c.Start(b.t.Context()))
	var once sync.Once
	stop = func() {
		once.Do(func() {
			ctx, cancel := context.WithTimeout(context.Background(), soon)
			defer cancel()
			require.NoError(b.t, c.Stop(ctx))
		})
	}
	b.t.Cleanup(stop)
	return stop
}

func (b *bundle) relay() (stop func()) {
	b.t.Helper()
	return b.run(events.NewRelay(events.RelayConfig{Pool: b.producer, JS: b.js, Stream: "USERS", Prefix: "users"}))
}

func (b *bundle) consume(pool *pgxpool.Pool, handlers ...events.Handler) (stop func()) {
	b.t.Helper()
	return b.run(events.NewConsumer(events.ConsumerConfig{Name: "test", Pool: pool, JS: b.js, Handlers: handlers}))
}

// publish commits events n, n+1 … of the subject, one transaction each.
func (b *bundle) publish(subject string, from, count int) {
	b.t.Helper()
	for n := from; n < from+count; n++ {
		require.NoError(b.t, pg.InTx(b.t.Context(), b.producer, func(tx pgx.Tx) error {
			return events.Publish(b.t.Context(), tx, userChanged(), subject, changed{N: n})
		}))
	}
}

// record is a handler whose effect is a row: the order of the rows is the order of the effects.
func record() events.Handler {
	return events.On(userChanged(), func(ctx context.Context, tx pgx.Tx, e events.Event[changed]) error {
		_, err := tx.Exec(ctx, "INSERT INTO effects (subject, n) VALUES ($1, $2)", e.Subject, e.Data.N)
		return err
	})
}

// effectsOf are the numbers of the subject's effects, in their order.
func effectsOf(t testing.TB, pool *pgxpool.Pool, subject string) []int {
	rows, err := pool.Query(t.Context(), "SELECT n FROM effects WHERE subject = $1 ORDER BY seq", subject)
	if err != nil {
		return nil // the database is away
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		return nil
	}
	return out
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i + 1
	}
	return out
}

// eventually waits until the subject's effects are exactly 1, 2 … n, each once and in order.
func (b *bundle) eventually(subject string, n int) {
	b.t.Helper()
	b.eventuallyIn(b.consumer, subject, n)
}

func (b *bundle) eventuallyIn(pool *pgxpool.Pool, subject string, n int) {
	b.t.Helper()
	if !poll(soon, func() bool { return len(effectsOf(b.t, pool, subject)) >= n }) {
		require.FailNow(b.t, "effects are missing", "%s has %v, want %d", subject, effectsOf(b.t, pool, subject), n)
	}
	require.Equal(b.t, upTo(n), effectsOf(b.t, pool, subject))
}

// allPublished waits until the outbox has nothing left to publish.
func (b *bundle) allPublished() {
	b.t.Helper()
	require.True(b.t, poll(soon, func() bool {
		return scan[int](b.t, b.producer, "SELECT count(*) FROM outbox WHERE published_at IS NULL") == 0
	}),
		"events stay in the outbox")
}

func poll(atMost time.Duration, done func() bool) bool {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for end := time.Now().Add(atMost); time.Now().Before(end); <-ticker.C {
		if done() {
			return true
		}
	}
	return false
}

func scan[T any](t testing.TB, pool *pgxpool.Pool, query string, args ...any) T {
	t.Helper()
	var out T
	require.NoError(t, pool.QueryRow(t.Context(), query, args...).Scan(&out), fmt.Sprintf(query+" %v", args))
	return out
}
