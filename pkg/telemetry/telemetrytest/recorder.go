// Package telemetrytest records the spans of one or several services in memory, so that a test can look at the
// tree that a request made.
package telemetrytest

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/atrium-mesh/atrium/pkg/telemetry"
)

// Recorder keeps every span that ends in the services that share it. It is safe for concurrent use.
type Recorder struct {
	t      testing.TB
	output *output

	mu    sync.Mutex
	spans tracetest.SpanStubs
}

// New returns an empty recorder. Log lines of its services appear when t fails.
func New(t testing.TB) *Recorder {
	out := &output{t: t}
	t.Cleanup(out.close)
	return &Recorder{t: t, output: out}
}

// Telemetry returns the telemetry of a service whose spans are recorded. It is shut down when the test ends.
func (r *Recorder) Telemetry(service string) *telemetry.Telemetry {
	r.t.Helper()
	tel, err := telemetry.New(r.t.Context(), telemetry.Config{Service: service, Version: "test", LogFormat: "text"}, r.Options()...)
	require.NoError(r.t, err)
	r.t.Cleanup(func() { _ = tel.Shutdown(context.Background()) })
	return tel
}

// Options make any telemetry.New record here.
func (r *Recorder) Options() []telemetry.Option {
	return []telemetry.Option{telemetry.WithSyncSpanExporter(exporter{r}), telemetry.WithLogOutput(r.output)}
}

// Spans returns what has been recorded so far, in the order in which spans ended.
func (r *Recorder) Spans() tracetest.SpanStubs {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.spans)
}

// TraceIDs returns the recorded traces, in the order in which their first span ended.
func (r *Recorder) TraceIDs() []trace.TraceID {
	var ids []trace.TraceID
	for _, span := range r.Spans() {
		if id := span.SpanContext.TraceID(); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// Reset forgets everything recorded.
func (r *Recorder) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spans = nil
}

type exporter struct{ recorder *Recorder }

func (e exporter) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	e.recorder.mu.Lock()
	defer e.recorder.mu.Unlock()
	e.recorder.spans = append(e.recorder.spans, tracetest.SpanStubsFromReadOnlySpans(spans)...)
	return nil
}

func (exporter) Shutdown(context.Context) error { return nil }

// output is the test's log, closed when the test ends: writing to it later would panic.
type output struct {
	mu     sync.Mutex
	t      testing.TB
	closed bool
}

func (o *output) Write(line []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return len(line), nil
	}
	return o.t.Output().Write(line)
}

func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
}
