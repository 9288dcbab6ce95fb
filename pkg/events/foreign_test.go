package events_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/events"
)

// TestForeignEvents: a service may tell what is its own. What it tells in the name of another is a dead letter, whatever the type.
func TestForeignEvents(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.relay()
	b.consume(b.consumer, record())
	b.publish("a", 1, 1)
	b.eventually("a", 1)
	for name, field := range map[string][2]string{
		"another source": {"ce-source", "/atrium/auth"},
		"another type":   {"ce-type", "auth.account.registered.v1"},
		"no source":      {"ce-source", ""},
	} {
		msg, id := nats.NewMsg(events.SubjectOf(userChanged().Name)), uuid.Must(uuid.NewV7()).String()
		for key, value := range map[string]string{
			"ce-id": id, "ce-type": userChanged().Name, "ce-source": "/atrium/users", "ce-subject": "a", "ce-specversion": "1.0",
			"ce-time": time.Now().UTC().Format(time.RFC3339Nano), "ce-orgid": "default", "ce-actor": "system",
		} {
			msg.Header[key] = []string{value}
		}
		msg.Header[field[0]] = []string{field[1]}
		msg.Data = []byte(`{"n": 2}`)
		_, err := b.js.PublishMsg(t.Context(), msg)
		require.NoError(t, err, name)
		require.True(t, poll(soon, func() bool {
			return scan[int](t, b.consumer, "SELECT count(*) FROM dead_letters WHERE event_id = $1", id) == 1
		}), name)
	}
	require.Equal(t, []int{1}, effectsOf(t, b.consumer, "a"))
}
