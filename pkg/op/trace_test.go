package op_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/op"
)

const (
	callersTrace  = "4bf92f3577b34da6a3ce929d0e0e4736"
	callersParent = "00-" + callersTrace + "-00f067aa0ba902b7-"
)

// traced is a server that tells in which trace, with which baggage, a request ran.
type traced struct {
	*bundle
	ran chan ranIn
}

type ranIn struct {
	span    trace.SpanContext
	baggage string
}

func startTraced(t *testing.T) *traced {
	t.Helper()
	ran := make(chan ranIn, 1)
	return &traced{ran: ran, bundle: setup(t, func(ctx context.Context, in *putThing) (*thingAnswer, error) {
		ran <- ranIn{span: trace.SpanContextFromContext(ctx), baggage: baggage.FromContext(ctx).String()}
		return echo(ctx, in)
	})}
}

// overHTTP and overNATS send one request with these fields, and nothing of a client's library in between.
func (b *traced) overHTTP(t *testing.T, fields map[string]string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, b.url+"/api/v1/things/"+ada, strings.NewReader(good))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	for name, value := range fields {
		req.Header.Set(name, value)
	}
	status, body, _ := b.roundTrip(t, req)
	require.Contains(t, []int{http.StatusOK, http.StatusServiceUnavailable}, status, body)
}

func (b *traced) overNATS(t *testing.T, fields map[string]string) {
	t.Helper()
	body, err := json.Marshal(putRequest(ada))
	require.NoError(t, err)
	msg := nats.NewMsg(putOp.Subject)
	msg.Data = body
	for name, value := range fields {
		msg.Header.Set(name, value)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err = b.natsURL.Connect(t).RequestMsgWithContext(ctx, msg)
	require.NoError(t, err)
}

// recorded waits for the server's span: it ends after the caller has the answer.
func (b *traced) recorded(t *testing.T) tracetest.SpanStub {
	t.Helper()
	require.Eventually(t, func() bool { return len(b.spans.Spans()) == 1 }, 5*time.Second, 5*time.Millisecond)
	defer b.spans.Reset()
	return b.spans.Spans()[0]
}

// TestTraceOfTheCaller: a service's trace goes on, as recorded or not as it says. That of anybody else, with no token or one that is not
// believed, is linked: it chooses no ids, turns no recording off, and brings nothing along.
func TestTraceOfTheCaller(t *testing.T) {
	t.Parallel()
	for transport, send := range map[string]func(*traced, *testing.T, map[string]string){
		"http": (*traced).overHTTP,
		"nats": (*traced).overNATS,
	} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			b := startTraced(t)
			call := func(service, flags string) {
				fields := map[string]string{
					"Authorization": "Bearer " + ada,
					"traceparent":   callersParent + flags,
					"tracestate":    "vendor=1",
					"baggage":       "user=ada",
				}
				if service != "" {
					fields[op.HeaderService] = service
				}
				send(b, t, fields)
			}

			for _, flags := range []string{"00", "01"} {
				call("", flags)
				in := <-b.ran
				require.NotEqual(t, callersTrace, in.span.TraceID().String())
				require.True(t, in.span.IsSampled())
				require.Empty(t, in.span.TraceState().String())
				require.Empty(t, in.baggage)
				span := b.recorded(t)
				require.Equal(t, in.span.SpanID(), span.SpanContext.SpanID())
				require.False(t, span.Parent.IsValid())
				require.Len(t, span.Links, 1)
				require.Equal(t, callersTrace, span.Links[0].SpanContext.TraceID().String())
				require.Empty(t, span.Links[0].SpanContext.TraceState().String())
			}

			call("nonsense", "00")
			span := b.recorded(t)
			require.NotEqual(t, callersTrace, span.SpanContext.TraceID().String(), "a refusal is recorded, too")
			require.Len(t, span.Links, 1)
			require.Equal(t, authz.CodeServiceRefused, span.Status.Description)

			call("service users", "00")
			in := <-b.ran
			require.Equal(t, callersTrace, in.span.TraceID().String())
			require.False(t, in.span.IsSampled(), "what the service does not record is not recorded here")
			require.Equal(t, "user=ada", in.baggage)

			call("service users", "01")
			in = <-b.ran
			require.Equal(t, callersTrace, in.span.TraceID().String())
			span = b.recorded(t)
			require.Equal(t, "00f067aa0ba902b7", span.Parent.SpanID().String())
			require.Empty(t, span.Links)
		})
	}
}

// TestHopThatCannotBeVerified: a stranger's token may make the verifier wait for keys, but no longer than the call may take, and a fault
// of the verifier is answered as any other.
func TestHopThatCannotBeVerified(t *testing.T) {
	t.Parallel()
	b := setup(t, echo)
	for service, want := range map[string]struct {
		status int
		code   string
	}{
		"slow":  {http.StatusGatewayTimeout, "timeout"},
		"panic": {http.StatusInternalServerError, "internal"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, b.url+"/api/v1/things/"+ada, strings.NewReader(good))
		require.NoError(t, err)
		req.Header.Set(op.HeaderService, service)
		status, body, header := b.roundTrip(t, req)
		require.Equal(t, want.status, status, body)
		require.Contains(t, body, `"code":"`+want.code+`"`)
		require.Contains(t, body, header.Get(op.HeaderRequestID))
		require.NotContains(t, body, errBroken.Error())
	}
}

var errBroken = errors.New("broken verifier")
