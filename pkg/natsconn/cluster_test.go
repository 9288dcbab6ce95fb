package natsconn_test

import (
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/natsconn"
	"github.com/atrium-mesh/atrium/pkg/natstest"
)

func TestEnsureStreamInCluster(t *testing.T) {
	t.Parallel()
	c := natstest.StartCluster(t)
	js := jetStream(t, open(t, c.URL()).Conn)
	cfg := natsconn.StreamConfig{Name: "USERS", Subjects: []string{"events.users.>"}}

	info, err := natsconn.EnsureStream(t.Context(), js, cfg)
	require.NoError(t, err)
	require.Equal(t, 1, info.Config.Replicas)
	for range 100 {
		_, err := js.Publish(t.Context(), "events.users.a", []byte("kept"))
		require.NoError(t, err)
	}

	cfg.Replicas = 3
	info, err = natsconn.EnsureStream(t.Context(), js, cfg)
	require.NoError(t, err)
	require.Equal(t, 3, info.Config.Replicas, "a stream gets more replicas")
	c.WaitCurrent(t, js, "USERS")

	c.Leader(t, js, "USERS").Kill()
	c.Leader(t, js, "USERS") // another
	info, err = natsconn.EnsureStream(t.Context(), js, cfg)
	require.NoError(t, err, "one server may be away")
	require.EqualValues(t, 100, info.State.Msgs, "the others have what it had")

	_, err = js.Publish(t.Context(), "events.users.a", []byte("new"), jetstream.WithExpectLastSequence(100))
	require.NoError(t, err)
}
