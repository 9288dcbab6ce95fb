package telemetrytest_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/atrium-mesh/atrium/pkg/telemetry/telemetrytest"
)

func TestTree(t *testing.T) {
	t.Parallel()
	recorder := telemetrytest.New(t)
	gateway, users := recorder.Telemetry("gateway").Tracer.Tracer("test"), recorder.Telemetry("users").Tracer.Tracer("test")

	ctx, root := gateway.Start(t.Context(), "GET /users", trace.WithSpanKind(trace.SpanKindServer))
	callCtx, call := gateway.Start(ctx, "proxy", trace.WithSpanKind(trace.SpanKindClient))
	_, answer := users.Start(callCtx, "list-users", trace.WithSpanKind(trace.SpanKindServer))
	answer.SetStatus(codes.Error, "no luck")
	answer.End()
	call.End()
	_, second := gateway.Start(ctx, "cache")
	second.End()
	root.End()
	_, other := users.Start(t.Context(), "another trace")
	other.End()

	tree := recorder.Tree(root.SpanContext().TraceID())
	require.Equal(t, "trace "+root.SpanContext().TraceID().String()+`
  gateway: GET /users [server]
    gateway: proxy [client]
      users: list-users [server] error: no luck
    gateway: cache [internal]
`, tree.String())
	require.True(t, tree.Has("gateway: GET /users", "users: list-users"))
	require.True(t, tree.Has("GET*", "proxy", "users: *"))
	require.False(t, tree.Has("users: list-users", "gateway: GET /users"), "the wrong way round")
	require.False(t, tree.Has("proxy", "cache"), "not below one another")
	require.False(t, tree.Has("another trace"))
	require.Equal(t, "list-users", tree.Find("users: *").Name)
	require.Nil(t, tree.Find("nothing"))
	require.Len(t, recorder.TraceIDs(), 2)

	recorder.Reset()
	require.Empty(t, recorder.Spans())
}
