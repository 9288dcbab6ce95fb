package events

import (
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
)

func TestEnvelope(t *testing.T) {
	t.Parallel()
	e := envelope{
		ID: uuid.Must(uuid.NewV7()), Type: "users.user.changed.v1", Source: "/atrium/users", Subject: "a", OrgID: "acme", Actor: "ada",
		Time: time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC), Trace: map[string]string{"traceparent": "00-1-2-01"}, Data: []byte("{}"),
	}
	msg := e.message()
	got, err := parseMessage(msg.Header, msg.Data)
	require.NoError(t, err)
	require.Equal(t, e, got)
}

// Whatever a message says, it is an event or an error, and PostgreSQL can keep it.
func FuzzParseMessage(f *testing.F) {
	f.Add(uuid.NewString(), "users.user.changed.v1", "2026-01-02T03:04:05Z", "1.0", "00-1-2-01") //nolint:forbidigo // any id
	f.Add("", "\xff", "\x00", "2", "\x00\xff")
	f.Fuzz(func(t *testing.T, id, typeName, at, spec, trace string) {
		header := nats.Header{headerID: {id}, headerType: {typeName}, headerTime: {at}, headerSpec: {spec}, "traceparent": {trace}}
		e, err := parseMessage(header, nil)
		if err == nil && (e.ID == uuid.Nil && id != uuid.Nil.String() && len(id) == 36 || e.Time.IsZero() && at == "") {
			t.Fatalf("accepted: %v", header)
		}
		for _, text := range []string{e.Type, e.Trace["traceparent"]} {
			if !utf8.ValidString(text) {
				t.Fatalf("cannot be kept: %q", text)
			}
			for _, c := range text {
				if c == 0 {
					t.Fatalf("cannot be kept: %q", text)
				}
			}
		}
	})
}
