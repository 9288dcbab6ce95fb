package events_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/pkg/pglocal"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
)

// BenchmarkOutboxToConsumer commits events and waits for their effects, on a durable server as in production: every commit is synced.
// Throughput is from a transaction that publishes them all to the last effect; the delay, from commit to effect, with one event at a time.
func BenchmarkOutboxToConsumer(b *testing.B) {
	producer, consumer := durable(b)
	bundle := setupOn(b, producer, consumer)
	seen := make(chan struct{}, 1)
	bundle.relay()
	bundle.consume(consumer, events.On(userChanged(), func(ctx context.Context, tx pgx.Tx, e events.Event[changed]) error {
		_, err := tx.Exec(ctx, "INSERT INTO effects (subject, n) VALUES ($1, $2)", e.Subject, e.Data.N)
		if e.Subject == "last" {
			seen <- struct{}{}
		}
		return err
	}))

	b.Run("throughput", func(b *testing.B) {
		commit(b, producer, b.N)
		<-seen
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	})
	b.Run("delay", func(b *testing.B) {
		delays := make([]time.Duration, 0, b.N)
		for b.Loop() {
			commit(b, producer, 1)
			begin := time.Now()
			<-seen
			delays = append(delays, time.Since(begin))
		}
		slices.Sort(delays)
		for _, p := range []int{50, 99} {
			b.ReportMetric(float64(delays[len(delays)*p/100].Microseconds())/1000, fmt.Sprintf("p%d-ms", p))
		}
	})
}

// commit publishes n events in one transaction, the last one of subject "last".
func commit(b *testing.B, pool *pgxpool.Pool, n int) {
	b.Helper()
	require.NoError(b, pg.InTx(b.Context(), pool, func(tx pgx.Tx) error {
		for i := range n {
			subject := "many"
			if i == n-1 {
				subject = "last"
			}
			if err := events.Publish(b.Context(), tx, userChanged(), subject, changed{N: i, Name: "Ada Lovelace"}); err != nil {
				return err
			}
		}
		return nil
	}))
}

func durable(b *testing.B) (producer, consumer *pgxpool.Pool) {
	b.Helper()
	server, err := pglocal.Start(b.Context(), pglocal.Options{Dir: filepath.Join(b.TempDir(), "postgres")})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, server.Kill()) })
	open := func(name string) *pgxpool.Pool {
		conn, err := pgx.Connect(b.Context(), server.URL("postgres"))
		require.NoError(b, err)
		_, err = conn.Exec(b.Context(), "CREATE DATABASE "+name)
		require.NoError(b, err)
		require.NoError(b, conn.Close(b.Context()))
		return pgtest.Open(b, server.URL(name))
	}
	producer, consumer = open("producer"), open("consumer")
	require.NoError(b, pg.Migrate(b.Context(), producer, nil))
	require.NoError(b, pg.Migrate(b.Context(), consumer, effects()))
	return producer, consumer
}
