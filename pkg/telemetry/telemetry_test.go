package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is an exporter that keeps what it gets.
type memory struct {
	mu    sync.Mutex
	spans []sdktrace.ReadOnlySpan
}

func (m *memory) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.spans = append(m.spans, spans...)
	return nil
}

func (m *memory) Shutdown(context.Context) error { return nil }

func (m *memory) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.spans)
}

func setup(t *testing.T, src config.Source, opts ...telemetry.Option) *telemetry.Telemetry {
	t.Helper()
	cfg, err := config.Load[telemetry.Config](src)
	require.NoError(t, err)
	cfg.Service = "users"
	tel, err := telemetry.New(t.Context(), cfg, append([]telemetry.Option{telemetry.WithLogOutput(io.Discard)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = tel.Shutdown(context.WithoutCancel(t.Context())) })
	return tel
}

func TestSpans(t *testing.T) {
	t.Parallel()

	t.Run("carry the service and its version", func(t *testing.T) {
		t.Parallel()
		var spans memory
		tel := setup(t, config.Source{"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=a%20test"}, telemetry.WithSyncSpanExporter(&spans))
		_, span := tel.Tracer.Tracer("test").Start(t.Context(), "work")
		span.End()
		attrs := spans.spans[0].Resource().Set()
		for key, want := range map[string]string{"service.name": "users", "service.version": tel.Version, "deployment.environment.name": "a test"} {
			got, ok := attrs.Value(attribute.Key(key))
			require.True(t, ok, key)
			require.Equal(t, want, got.AsString())
		}
		require.NotEmpty(t, tel.Version)
	})

	t.Run("reach a batched exporter soon, and at shutdown", func(t *testing.T) {
		t.Parallel()
		var spans memory
		tel := setup(t, nil, telemetry.WithSpanExporter(&spans))
		_, span := tel.Tracer.Tracer("test").Start(t.Context(), "soon")
		span.End()
		require.Eventually(t, func() bool { return spans.count() == 1 }, 5*time.Second, 5*time.Millisecond)
		_, span = tel.Tracer.Tracer("test").Start(t.Context(), "at shutdown")
		span.End()
		require.NoError(t, tel.Shutdown(t.Context()))
		require.Equal(t, 2, spans.count())
	})

	t.Run("nothing global is set", func(t *testing.T) {
		t.Parallel()
		tel := setup(t, nil)
		require.NotSame(t, otel.GetTracerProvider(), tel.Tracer)
		_, span := otel.GetTracerProvider().Tracer("test").Start(t.Context(), "global")
		require.False(t, span.IsRecording())
	})
}

func TestSampler(t *testing.T) {
	t.Parallel()
	sampled := trace.ContextWithRemoteSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceFlags: trace.FlagsSampled, Remote: true,
	}))
	for name, test := range map[string]struct {
		sampler, arg string
		parent       context.Context
		want         bool
	}{
		"everything by default":          {"", "", t.Context(), true},
		"nothing":                        {"always_off", "", sampled, false},
		"the parent decides":             {"parentbased_always_off", "", sampled, true},
		"no parent":                      {"parentbased_always_off", "", t.Context(), false},
		"a share of nothing":             {"traceidratio", "0", t.Context(), false},
		"a share of everything":          {"parentbased_traceidratio", "1", t.Context(), true},
		"a ratio without a number is 1":  {"traceidratio", "", t.Context(), true},
		"the ratio is for roots only":    {"parentbased_traceidratio", "0", sampled, true},
		"always on whatever the parents": {"always_on", "", t.Context(), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tel := setup(t, config.Source{"OTEL_TRACES_SAMPLER": test.sampler, "OTEL_TRACES_SAMPLER_ARG": test.arg})
			_, span := tel.Tracer.Tracer("test").Start(test.parent, "work")
			defer span.End()
			require.Equal(t, test.want, span.SpanContext().IsSampled())
		})
	}
}

func TestOTLP(t *testing.T) {
	t.Parallel()
	type export struct{ path, header string }
	exports := make(chan export, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		exports <- export{r.URL.Path, r.Header.Get("X-Key")}
	}))
	defer receiver.Close()
	tel := setup(t, config.Source{"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.URL + "/base", "OTEL_EXPORTER_OTLP_HEADERS": "x-key=a%3Db"})
	_, span := tel.Tracer.Tracer("test").Start(t.Context(), "work")
	span.End()
	counter, err := tel.Meter.Meter("test").Int64Counter("things")
	require.NoError(t, err)
	counter.Add(t.Context(), 1)
	require.NoError(t, tel.Shutdown(t.Context()))
	require.Equal(t, export{"/base/v1/traces", "a=b"}, <-exports)
	require.Equal(t, export{"/base/v1/metrics", "a=b"}, <-exports)
}

func TestOTLPReceiverAway(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"grpc", "http/protobuf"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			tel := setup(t, config.Source{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL": protocol})
			_, span := tel.Tracer.Tracer("test").Start(t.Context(), "work")
			span.End()
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			require.Error(t, tel.Shutdown(ctx))
		})
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	tel := setup(t, nil)
	counter, err := tel.Meter.Meter("test").Int64Counter("atrium.things")
	require.NoError(t, err)
	counter.Add(t.Context(), 3)
	rec := httptest.NewRecorder()
	tel.Metrics.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	require.Equal(t, http.StatusOK, rec.Code)
	for _, want := range []string{"atrium_things_total{", `service_name="users"`, "go_goroutines ", "process_resident_memory_bytes "} {
		require.Contains(t, rec.Body.String(), want)
	}
}

func TestLogger(t *testing.T) {
	t.Parallel()

	t.Run("JSON with the service and the span", func(t *testing.T) {
		t.Parallel()
		var out bytes.Buffer
		tel := setup(t, nil, telemetry.WithLogOutput(&out))
		ctx, span := tel.Tracer.Tracer("test").Start(t.Context(), "work")
		defer span.End()
		tel.Logger.With("a", 1).InfoContext(ctx, "hello")
		tel.Logger.DebugContext(ctx, "not shown")
		var line map[string]any
		require.NoError(t, json.Unmarshal(out.Bytes(), &line))
		delete(line, "time")
		require.Equal(t, map[string]any{
			"level": "INFO", "msg": "hello", "service": "users", "a": 1.0,
			"trace_id": span.SpanContext().TraceID().String(), "span_id": span.SpanContext().SpanID().String(),
		}, line)
	})

	t.Run("text at a chosen level", func(t *testing.T) {
		t.Parallel()
		var out bytes.Buffer
		tel := setup(t, config.Source{"LOG_FORMAT": "text", "LOG_LEVEL": "debug"}, telemetry.WithLogOutput(&out))
		tel.Logger.DebugContext(t.Context(), "hello")
		require.Contains(t, out.String(), "level=DEBUG msg=hello service=users")
		require.NotContains(t, out.String(), "trace_id")
	})

	t.Run("secrets are hidden wherever they stand", func(t *testing.T) {
		t.Parallel()
		var out bytes.Buffer
		tel := setup(t, nil, telemetry.WithLogOutput(&out))
		tel.Logger.With("password", "hunter2").InfoContext(t.Context(), "hello",
			"refresh_token", "hunter2", "Authorization", "hunter2", "client_secret", "hunter2",
			slog.Group("request", "Set-Cookie", "hunter2", "accessToken", "hunter2", "api_key", "hunter2"),
			"token_id", "shown", "idempotency_key", "shown")
		require.NotContains(t, out.String(), "hunter2")
		require.Equal(t, 7, strings.Count(out.String(), "[redacted]"))
		require.Equal(t, 2, strings.Count(out.String(), "shown"))
	})
}

func TestConfigProblems(t *testing.T) {
	t.Parallel()
	src := config.Source{
		"LOG_LEVEL": "loud", "LOG_FORMAT": "xml", "OTEL_EXPORTER_OTLP_PROTOCOL": "smoke", "OTEL_TRACES_SAMPLER": "sometimes",
		"OTEL_TRACES_SAMPLER_ARG": "NaN", "OTEL_EXPORTER_OTLP_ENDPOINT": "hunter2", "OTEL_EXPORTER_OTLP_HEADERS": "hunter2",
		"OTEL_RESOURCE_ATTRIBUTES": "a=%zz", "OTEL_METRIC_EXPORT_INTERVAL": "-1",
	}
	_, err := config.Load[telemetry.Config](src)
	var all *config.Error
	require.ErrorAs(t, err, &all)
	require.NotContains(t, err.Error(), "hunter2")
	named := make(config.Source)
	for _, p := range all.Problems {
		named[p.Variable] = src[p.Variable]
	}
	require.Equal(t, src, named, "every variable has its problem")

	for _, endpoint := range []string{"http://h:0", "http://*", "http://h/?", "http://h?a=b", "http://h/#", "http://ada:hunter2@h"} {
		require.ErrorContains(t, telemetry.Config{Endpoint: endpoint}.Validate(), "OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
	}
	for _, endpoint := range []string{"", "http://h:4318", "http://h:4318/", "https://h/base"} {
		require.NoError(t, telemetry.Config{Endpoint: endpoint}.Validate(), endpoint)
	}

	_, err = telemetry.New(t.Context(), telemetry.Config{LogFormat: "xml"})
	require.ErrorContains(t, err, "LOG_FORMAT")
}

func TestNop(t *testing.T) {
	t.Parallel()
	tel := telemetry.Nop()
	header := propagation.MapCarrier{"traceparent": "00-0102030405060708090a0b0c0d0e0f10-0102030405060708-01"}
	ctx := tel.Propagator.Extract(t.Context(), header)
	onward := propagation.MapCarrier{}
	tel.Propagator.Inject(ctx, onward)
	require.Equal(t, header, onward)
	tel.Logger.InfoContext(ctx, "nowhere")
	require.NoError(t, tel.Shutdown(t.Context()))
}
