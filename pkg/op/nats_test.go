package op_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/request"
)

func putRequest(id string) *putThing {
	in := &putThing{ID: id}
	in.Body.Name, in.Body.Secret = "lamp", "correct horse battery"
	return in
}

func as(ctx context.Context, token string) context.Context { return request.WithToken(ctx, token) }

func TestClients(t *testing.T) {
	t.Parallel()
	b := setup(t, func(ctx context.Context, in *putThing) (*thingAnswer, error) {
		if in.Body.Name == "taken" {
			return nil, errs.New(errs.Conflict, "taken", "It is taken.").WithFields(errs.Field{Field: "body.name", Code: "taken", Message: "is taken"})
		}
		return echo(ctx, in)
	})
	for transport, put := range map[string]func(context.Context, *putThing) (*thingAnswer, error){
		"nats": op.NATSClient(b.caller, putOp), "http": op.HTTPClient(b.http, putOp),
	} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			out, err := put(as(t.Context(), ada), putRequest(ada))
			require.NoError(t, err)
			require.Equal(t, "lamp", out.Body.Name)
			require.Equal(t, ada, out.Body.By)
			require.Equal(t, `"1"`, out.ETag)

			_, err = put(t.Context(), putRequest(ada))
			require.ErrorIs(t, err, errs.Unauthenticated)
			_, err = put(as(t.Context(), "bad"), putRequest(ada))
			require.ErrorIs(t, err, errs.Unauthenticated)
			_, err = put(as(t.Context(), ada), putRequest(bob))
			require.ErrorIs(t, err, errs.Forbidden)

			taken := putRequest(ada)
			taken.Body.Name = "taken"
			_, err = put(as(t.Context(), ada), taken)
			require.ErrorIs(t, err, errs.Conflict)
			require.Equal(t, "taken", errs.From(err).Code)
			require.Equal(t, "body.name", errs.From(err).Fields[0].Field)
		})
	}
}

func TestNATSKeepsOneTrace(t *testing.T) {
	t.Parallel()
	b := setup(t, echo)
	tel := b.spans.Telemetry("users")
	caller := op.NewNATSCaller(b.natsURL.Connect(t), tel.Tracer, tel.Propagator, &hops{tokens: []string{"service users"}})
	_, err := op.NATSClient(caller, putOp)(as(t.Context(), ada), putRequest(ada))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(b.spans.Spans()) == 2 }, 5*time.Second, 5*time.Millisecond)
	spans := b.spans.Spans()
	require.Equal(t, spans[0].SpanContext.TraceID(), spans[1].SpanContext.TraceID())
}

func TestNATSDeadlineTravels(t *testing.T) {
	t.Parallel()
	left := make(chan time.Duration, 1)
	b := setup(t, func(ctx context.Context, in *putThing) (*thingAnswer, error) {
		d, _ := ctx.Deadline()
		left <- time.Until(d)
		return echo(ctx, in)
	})
	ctx, cancel := context.WithTimeout(as(t.Context(), ada), 200*time.Millisecond)
	defer cancel()
	_, err := op.NATSClient(b.caller, putOp)(ctx, putRequest(ada))
	require.NoError(t, err)
	require.Less(t, <-left, 200*time.Millisecond)
}

func TestNATSRefusesWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	b := setup(t, echo)
	conn := b.natsURL.Connect(t)
	msg := nats.NewMsg(putOp.Subject)
	msg.Data = []byte("{")
	msg.Header.Set("Authorization", "Bearer "+ada+"+things:write")
	reply, err := conn.RequestMsg(msg, 5*time.Second)
	require.NoError(t, err)
	require.Equal(t, errs.Malformed, errs.Decode(reply.Header.Get("Atrium-Error")).Kind)

	body, err := json.Marshal(putRequest(ada))
	require.NoError(t, err)
	hurry := nats.NewMsg(putOp.Subject)
	hurry.Data = body
	hurry.Header.Set("Atrium-Budget-Ms", "5")
	reply, err = conn.RequestMsg(hurry, 5*time.Second)
	require.NoError(t, err)
	require.Equal(t, "deadline_too_short", errs.Decode(reply.Header.Get("Atrium-Error")).Code)
}

func TestNATSSaysWhenItIsFull(t *testing.T) {
	t.Parallel()
	release, running := make(chan struct{}), atomic.Int32{}
	b := setup(t, func(ctx context.Context, in *putThing) (*thingAnswer, error) {
		running.Add(1)
		<-release
		return echo(ctx, in)
	})
	put := op.NATSClient(b.caller, putOp)
	done := make(chan error, 4)
	for range 4 {
		go func() { _, err := put(as(t.Context(), ada), putRequest(ada)); done <- err }()
	}
	require.Eventually(t, func() bool { return running.Load() == 4 }, 5*time.Second, time.Millisecond)
	for range 12 { // more than open the breaker
		_, err := put(as(t.Context(), ada), putRequest(ada))
		require.ErrorIs(t, err, errs.Unavailable)
		require.Equal(t, "overloaded", errs.From(err).Code)
	}
	close(release)
	for range 4 {
		require.NoError(t, <-done)
	}
	_, err := put(as(t.Context(), ada), putRequest(ada))
	require.NoError(t, err, "a service that says it is full works")
}

func TestNATSAway(t *testing.T) {
	t.Parallel()
	b := setup(t, echo)
	put := op.NATSClient(b.caller, putOp)
	require.NoError(t, b.StopNATS(t.Context()))
	require.Eventually(t, func() bool {
		_, err := put(as(t.Context(), ada), putRequest(ada))
		return errs.KindOf(err) == errs.Unavailable
	}, 5*time.Second, 10*time.Millisecond, "nobody answers: unavailable at once, not a timeout")

	for range 12 { // the breaker opens
		_, _ = put(as(t.Context(), ada), putRequest(ada))
	}
	_, err := put(as(t.Context(), ada), putRequest(ada))
	require.ErrorIs(t, err, errs.Unavailable)
	require.Positive(t, errs.From(err).RetryAfter)

	b.natsURL.Stop()
	_, err = put(as(t.Context(), ada), putRequest(ada))
	require.ErrorIs(t, err, errs.Unavailable)
}

// TestNATSCallerWithoutConnection: that says nothing of the service, whose breaker stays closed.
func TestNATSCallerWithoutConnection(t *testing.T) {
	t.Parallel()
	b := setup(t, echo)
	b.natsURL.Stop()
	put := op.NATSClient(b.caller, putOp)
	require.Eventually(t, func() bool {
		_, err := put(as(t.Context(), ada), putRequest(ada))
		return errors.Is(err, nats.ErrDisconnected)
	}, 5*time.Second, 10*time.Millisecond)
	for range 12 { // more than open it
		_, err := put(as(t.Context(), ada), putRequest(ada))
		require.ErrorIs(t, err, errs.Unavailable)
		require.ErrorIs(t, err, nats.ErrDisconnected)
	}
}

func TestNATSPanicDoesNotKill(t *testing.T) {
	t.Parallel()
	calls := atomic.Int32{}
	b := setup(t, func(ctx context.Context, in *putThing) (*thingAnswer, error) {
		if calls.Add(1) == 1 {
			panic("boom")
		}
		return echo(ctx, in)
	})
	put := op.NATSClient(b.caller, putOp)
	_, err := put(as(t.Context(), ada), putRequest(ada))
	require.ErrorIs(t, err, errs.Internal)
	require.NotContains(t, errs.From(err).Message, "boom")
	_, err = put(as(t.Context(), ada), putRequest(ada))
	require.NoError(t, err)
}
