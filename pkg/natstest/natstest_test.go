package natstest_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/atrium-mesh/atrium/pkg/natstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestServer(t *testing.T) {
	t.Parallel()
	s := natstest.StartServer(t)
	nc := s.Connect(t)
	url := s.URL()
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s.>"}})
	require.NoError(t, err)

	s.Stop()
	require.Eventually(t, func() bool { return nc.Status() == nats.RECONNECTING }, 5*time.Second, time.Millisecond)
	s.Start()
	require.Equal(t, url, s.URL())
	require.Eventually(t, nc.IsConnected, 5*time.Second, time.Millisecond)
	_, err = js.Stream(t.Context(), "S")
	require.NoError(t, err, "the stream is still there")

	s.Stop()
	s.StartEmpty()
	require.Eventually(t, nc.IsConnected, 5*time.Second, time.Millisecond)
	_, err = js.Stream(t.Context(), "S")
	require.ErrorIs(t, err, jetstream.ErrStreamNotFound)
}

func TestRun(t *testing.T) {
	t.Parallel()
	nc := natstest.Run(t)
	require.True(t, nc.IsConnected())
}
