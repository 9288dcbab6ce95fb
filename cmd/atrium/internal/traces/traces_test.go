package traces_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/traces"
)

func tracer(t *testing.T, store *traces.Store, service string) trace.Tracer {
	t.Helper()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(store),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", service))))
	return provider.Tracer("test")
}

// signUp records a trace of two services, the second of which fails, and returns its id.
func signUp(t *testing.T, store *traces.Store) string {
	t.Helper()
	gateway, auth := tracer(t, store, "gateway"), tracer(t, store, "auth")
	at := time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)
	after := func(d time.Duration) trace.SpanEventOption { return trace.WithTimestamp(at.Add(d)) }
	ctx, root := gateway.Start(t.Context(), "POST /api/v1/auth/register", trace.WithTimestamp(at), trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("http.request.method", "POST"), attribute.String("request.id", "req-42")))
	ctx, call := auth.Start(ctx, "register", after(5*time.Millisecond), trace.WithSpanKind(trace.SpanKindServer))
	_, insert := auth.Start(ctx, "INSERT accounts <script>", after(9*time.Millisecond),
		trace.WithAttributes(attribute.String("db.query.text", "-- name: InsertAccount :one\nINSERT INTO accounts")))
	insert.AddEvent("exception", after(11*time.Millisecond), trace.WithAttributes(attribute.String("exception.type", "conflict")))
	insert.SetStatus(codes.Error, "duplicate key")
	insert.End(after(30 * time.Millisecond))
	call.End(after(80 * time.Millisecond))
	root.End(after(100 * time.Millisecond))
	return root.SpanContext().TraceID().String()
}

func get(t *testing.T, store *traces.Store, path string) (*http.Response, string) {
	t.Helper()
	handler, err := traces.NewHandler(store)
	require.NoError(t, err)
	mux := http.NewServeMux()
	handler.Register(mux)
	recorder := httptest.NewRecorder()
	mux.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	body, err := io.ReadAll(recorder.Body)
	require.NoError(t, err)
	return recorder.Result(), string(body)
}

func TestATraceIsSummarized(t *testing.T) {
	t.Parallel()
	store := traces.NewStore()
	id := signUp(t, store)
	list := store.List(traces.Filter{})
	require.Len(t, list, 1)
	require.Equal(t, traces.Summary{
		ID: id, Name: "POST /api/v1/auth/register", Services: []string{"auth", "gateway"},
		Start: time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC), DurationMS: 100, Spans: 3, Errors: 1,
	}, list[0])
	for query, found := range map[string]int{"REGISTER": 1, "gateway": 1, "req-42": 1, id: 1, "nothing": 0} {
		require.Len(t, store.List(traces.Filter{Query: query}), found, query)
	}
}

func TestBackgroundTracesAreHiddenAndForgottenFirst(t *testing.T) {
	t.Parallel()
	store := traces.NewStore()
	id := signUp(t, store)
	poller := tracer(t, store, "users")
	for range 3 * traces.MaxTraces {
		_, span := poller.Start(context.Background(), "poll") //nolint:usetesting // each is a trace of its own
		span.End()
	}
	_, look := poller.Start(context.Background(), "GET", trace.WithSpanKind(trace.SpanKindServer), //nolint:usetesting // as above
		trace.WithAttributes(attribute.String("http.request.method", "GET"), attribute.String("http.route", "none")))
	look.End()
	require.Len(t, store.List(traces.Filter{}), 1, "neither polling nor looking at these pages")
	require.Len(t, store.List(traces.Filter{All: true}), traces.MaxTraces)
	_, ok := store.Get(id)
	require.True(t, ok, "polling does not push a request out")
}

func TestSpansAreBounded(t *testing.T) {
	t.Parallel()
	store := traces.NewStore()
	importer := tracer(t, store, "users")
	for range 2 * traces.MaxSpans / traces.MaxSpansOfATrace {
		ctx, root := importer.Start(t.Context(), "import")
		for i := range traces.MaxSpansOfATrace + 10 {
			_, span := importer.Start(ctx, fmt.Sprint("row ", i))
			span.End()
		}
		root.End()
	}
	list := store.List(traces.Filter{All: true})
	require.Len(t, list, traces.MaxSpans/traces.MaxSpansOfATrace)
	newest, ok := store.Get(list[0].ID)
	require.True(t, ok)
	require.Len(t, newest.Spans, traces.MaxSpansOfATrace)
	require.Equal(t, 11, newest.Dropped)
}

func TestPages(t *testing.T) {
	t.Parallel()
	store := traces.NewStore()
	_, body := get(t, store, "/dev/traces")
	require.Contains(t, body, "No traces yet")

	id := signUp(t, store)
	response, body := get(t, store, "/dev/traces")
	require.Contains(t, response.Header.Get("Content-Security-Policy"), "default-src 'none'")
	require.Contains(t, body, `href="/dev/traces/`+id+`"`)
	require.Contains(t, body, "100 ms")
	_, body = get(t, store, "/dev/traces?q=nothing")
	require.Contains(t, body, "Nothing matches")

	_, body = get(t, store, "/dev/traces/"+id)
	require.Contains(t, body, "INSERT accounts &lt;script&gt;")
	require.NotContains(t, body, "accounts <script>")
	require.Contains(t, body, `<rect class="run" x="9.000%" width="21.000%"`)
	require.Contains(t, body, ">InsertAccount</span>")
	require.Contains(t, body, "duplicate key")
	require.Contains(t, body, "exception.type")

	response, _ = get(t, store, "/dev/traces/00")
	require.Equal(t, http.StatusNotFound, response.StatusCode)
}

func TestJSON(t *testing.T) {
	t.Parallel()
	store := traces.NewStore()
	id := signUp(t, store)
	_, body := get(t, store, "/dev/traces.json?q=req-42")
	var list struct{ Items []traces.Summary }
	require.NoError(t, json.Unmarshal([]byte(body), &list))
	require.Len(t, list.Items, 1)

	_, body = get(t, store, "/dev/traces/"+id+".json")
	var one traces.Trace
	require.NoError(t, json.Unmarshal([]byte(body), &one))
	require.Len(t, one.Spans, 3)
	require.Equal(t, "POST /api/v1/auth/register", one.Spans[0].Name)
	require.Equal(t, one.Spans[0].ID, one.Spans[1].ParentID)
	require.True(t, one.Spans[2].Failed)
	response, body := get(t, store, "/dev/traces/00.json")
	require.Equal(t, http.StatusNotFound, response.StatusCode)
	require.Contains(t, body, "trace_not_found")
}

func TestTook(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-1: "0 ms", 900 * time.Nanosecond: "0 µs", 42 * time.Microsecond: "42 µs", 1500 * time.Microsecond: "1.5 ms",
		250 * time.Millisecond: "250 ms", 2340 * time.Millisecond: "2.34 s",
	} {
		require.Equal(t, want, traces.Took(d))
	}
}
