package test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/atrium-mesh/atrium/pkg/config"
)

const (
	strangerTrace  = "4bf92f3577b34da6a3ce929d0e0e4736"
	strangerParent = "00-" + strangerTrace + "-00f067aa0ba902b7-"
)

// spansOf are the gateway's spans of a request, the server's last: it ends after the client has its answer.
func (m *mesh) spansOf(t testing.TB, requestID string) []tracetest.SpanStub {
	t.Helper()
	var out []tracetest.SpanStub
	require.Eventually(t, func() bool {
		out = nil
		all := m.spans.Spans()
		for _, server := range all {
			if !slices.ContainsFunc(server.Attributes, func(a attribute.KeyValue) bool {
				return a.Key == "atrium.request_id" && a.Value.AsString() == requestID
			}) {
				continue
			}
			for _, s := range all {
				if s.SpanContext.TraceID() == server.SpanContext.TraceID() {
					out = append(out, s)
				}
			}
		}
		return len(out) >= 2
	}, within, tick)
	return out
}

func TestTraceOfAStranger(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	for _, flags := range []string{"01", "00"} {
		got := m.do(t, request{
			path: "/api/v1/users/" + ada + "?fields=secret", token: m.issuer.SignUser(ada),
			header: http.Header{
				"Traceparent": {strangerParent + flags}, "Tracestate": {"evil=" + strings.Repeat("x", 200)}, "Baggage": {"user=ada@example.com"},
			},
		})
		reached := m.users.requests()[0]
		require.NotContains(t, reached.Header.Get("Traceparent"), strangerTrace, "a stranger chooses no ids")
		require.True(t, strings.HasSuffix(reached.Header.Get("Traceparent"), "-01"), "nor what is recorded")
		require.Empty(t, reached.Header.Values("Tracestate"), "nor what travels with it")

		spans := m.spansOf(t, got.Header.Get("X-Request-Id"))
		require.Equal(t, []string{"get-user", "GET /api/v1/users/{id}"}, []string{spans[0].Name, spans[1].Name})
		server := spans[1]
		require.False(t, server.Parent.IsValid())
		require.NotEqual(t, strangerTrace, server.SpanContext.TraceID().String())
		require.Len(t, server.Links, 1, "but it can be found from the stranger's side")
		require.Equal(t, strangerTrace, server.Links[0].SpanContext.TraceID().String())
		require.Empty(t, server.Links[0].SpanContext.TraceState().String())
		for _, span := range spans {
			for _, a := range span.Attributes {
				value := a.Value.String()
				require.NotContains(t, value, ada, "%s: ids stay out of spans", a.Key)
				require.NotContains(t, value, "secret", a.Key)
			}
		}
	}
}

func TestTraceThatIsNone(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	for _, field := range []string{"", "nonsense", "00-" + strings.Repeat("0", 32) + "-00f067aa0ba902b7-01", "ff-" + strangerTrace + "-00f067aa0ba902b7-01"} {
		got := m.do(t, request{
			path: "/api/v1/users/me", token: m.issuer.SignUser(ada),
			header: http.Header{"Traceparent": {field}, "Tracestate": {"a=b"}},
		})
		spans := m.spansOf(t, got.Header.Get("X-Request-Id"))
		require.Empty(t, spans[1].Links, field)
		reached := m.users.requests()[0]
		require.Contains(t, reached.Header.Get("Traceparent"), spans[0].SpanContext.SpanID().String(), field)
		require.Empty(t, reached.Header.Values("Tracestate"), field)
	}
}

func TestTraceOfATrustedProxyGoesOn(t *testing.T) {
	t.Parallel()
	m := start(t, config.Source{"TRUSTED_PROXIES": "127.0.0.0/8"})
	got := m.do(t, request{
		path: "/api/v1/users/me", token: m.issuer.SignUser(ada),
		header: http.Header{"Traceparent": {strangerParent + "01"}, "Tracestate": {"proxy=1"}},
	})
	reached := m.users.requests()[0]
	require.Contains(t, reached.Header.Get("Traceparent"), strangerTrace, "one trace from the proxy on")
	require.Equal(t, "proxy=1", reached.Header.Get("Tracestate"))
	server := m.spansOf(t, got.Header.Get("X-Request-Id"))[1]
	require.Equal(t, strangerTrace, server.SpanContext.TraceID().String())
	require.Empty(t, server.Links)

	m.do(t, request{
		path: "/api/v1/users/me", token: m.issuer.SignUser(ada), header: http.Header{"Traceparent": {strangerParent + "00"}},
	})
	require.True(t, strings.HasSuffix(m.users.requests()[0].Header.Get("Traceparent"), "-00"), "and records what the proxy records")
}
