package events_test

import (
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/natstest"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
)

// setupCluster is setup with three NATS servers, which all have the stream.
func setupCluster(t *testing.T) (*bundle, *natstest.Cluster) {
	t.Helper()
	c := natstest.StartCluster(t)
	b := &bundle{t: t, js: jetStream(t, c.Connect(t)), producer: pgtest.New(t, nil), consumer: pgtest.New(t, effects())}
	b.run(events.NewRelay(events.RelayConfig{
		Pool: b.producer, JS: b.js, Stream: "USERS", Prefix: "users", Replicas: 3,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}))
	b.run(events.NewConsumer(events.ConsumerConfig{
		Name: "test", Pool: b.consumer, JS: b.js, Handlers: []events.Handler{record()}, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}))
	b.publish("a", 1, 1)
	b.eventually("a", 1)
	return b, c
}

// What a leader refuses of a chain must not keep it from taking the same when it comes again.
func TestClusterOrder(t *testing.T) {
	t.Parallel()
	b, _ := setupCluster(t)
	stream, err := b.js.Stream(t.Context(), "USERS")
	require.NoError(t, err)
	require.Equal(t, 3, stream.CachedInfo().Config.Replicas)
	cfg := stream.CachedInfo().Config
	cfg.MaxMsgSize = 2000 // until the relay brings the stream up to date again
	_, err = b.js.UpdateStream(t.Context(), cfg)
	require.NoError(t, err)
	begin := time.Now()
	require.NoError(t, pg.InTx(t.Context(), b.producer, func(tx pgx.Tx) error {
		for n := 2; n <= 20; n++ {
			name := ""
			if n == 5 {
				name = strings.Repeat("x", 3000)
			}
			if err := events.Publish(t.Context(), tx, userChanged(), "a", changed{N: n, Name: name}); err != nil {
				return err
			}
		}
		return nil
	}))
	b.eventually("a", 20)
	require.Less(t, time.Since(begin), 10*time.Second)
}

// The server that leads the stream goes, in good order and as by a crash, while events flow.
func TestClusterLosesItsLeader(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*natstest.Node){"stopped": (*natstest.Node).Stop, "killed": (*natstest.Node).Kill} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, c := setupCluster(t)
			const rounds, each = 3, 400
			published := 1
			for round := range rounds {
				c.WaitCurrent(t, b.js, "USERS")
				leader := c.Leader(t, b.js, "USERS")
				var wg sync.WaitGroup
				wg.Go(func() { b.publish("a", published+1, each) })
				seen := len(effectsOf(t, b.consumer, "a"))
				require.True(t, poll(soon, func() bool { return len(effectsOf(t, b.consumer, "a")) > seen }))
				end(leader)
				gone := time.Now()
				b.publish("last", round+1, 1)
				wg.Wait()
				published += each
				b.eventually("a", published)
				b.eventually("last", round+1)
				t.Logf("round %d: everything had its effect %v after the leader was %s", round, time.Since(gone), name)
				require.Less(t, time.Since(gone), 25*time.Second, "an election takes up to 9 s")
				leader.Start()
			}
			c.WaitCurrent(t, b.js, "USERS")
			requireSame(t, b, c)
		})
	}
}

// requireSame asks each server in turn, as leader, for what the stream has.
func requireSame(t *testing.T, b *bundle, c *natstest.Cluster) {
	t.Helper()
	var want *jetstream.StreamState
	for range 3 {
		stream, err := b.js.Stream(t.Context(), "USERS")
		require.NoError(t, err)
		state := stream.CachedInfo().State
		if want == nil {
			want = &state
		}
		require.Equal(t, want.LastSeq, state.LastSeq)
		require.Equal(t, want.Msgs, state.Msgs)
		require.Equal(t, want.Bytes, state.Bytes)
		c.StepDown(t, b.js, "USERS")
	}
}
