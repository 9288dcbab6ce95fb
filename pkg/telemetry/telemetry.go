// Package telemetry gives a service its traces, metrics and logs.
//
// Nothing global is set: several services run in one process in local mode, each with its own Telemetry, and
// whoever makes a span, a metric or a log line gets it handed in. Spans and metrics leave by OTLP when an endpoint is
// configured; metrics can always be read by Prometheus; log lines go to standard error.
package telemetry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
)

// Telemetry is what a service observes itself with. All of it is safe for concurrent use.
type Telemetry struct {
	Service    string
	Version    string
	Logger     *slog.Logger
	Tracer     trace.TracerProvider
	Meter      metric.MeterProvider
	Propagator propagation.TextMapPropagator
	Metrics    http.Handler // in Prometheus' format

	shutdown []func(context.Context) error
}

// Option adds to what New makes.
type Option func(*options)

type options struct {
	logOutput  io.Writer
	processors []sdktrace.SpanProcessor
}

// localBatchDelay is how long a span may wait before a local viewer sees it.
const localBatchDelay = 200 * time.Millisecond

// WithSpanExporter also hands every recorded span to exp, a moment after it ended.
func WithSpanExporter(exp sdktrace.SpanExporter) Option {
	return func(o *options) {
		o.processors = append(o.processors, sdktrace.NewBatchSpanProcessor(exp, sdktrace.WithBatchTimeout(localBatchDelay)))
	}
}

// WithSyncSpanExporter also hands every recorded span to exp before its End returns. It is meant for tests.
func WithSyncSpanExporter(exp sdktrace.SpanExporter) Option {
	return func(o *options) { o.processors = append(o.processors, sdktrace.NewSimpleSpanProcessor(exp)) }
}

// WithLogOutput writes log lines to w instead of standard error. Each line is one Write.
func WithLogOutput(w io.Writer) Option { return func(o *options) { o.logOutput = w } }

// New makes the telemetry of one service. No receiver needs to be reachable. Call Shutdown to send what is left.
func New(ctx context.Context, cfg Config, opts ...Option) (*Telemetry, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	o := options{logOutput: os.Stderr}
	for _, opt := range opts {
		opt(&o)
	}
	cfg.Version = cmp.Or(cfg.Version, ProgramVersion())
	res, err := newResource(cfg)
	if err != nil {
		return nil, err
	}
	tracer, err := newTracer(ctx, cfg, res, o.processors)
	if err != nil {
		return nil, err
	}
	meter, handler, err := newMeter(ctx, cfg, res)
	if err != nil {
		return nil, errors.Join(err, tracer.shutdown(ctx))
	}
	return &Telemetry{
		Service:    cfg.Service,
		Version:    cfg.Version,
		Logger:     newLogger(cfg, o.logOutput),
		Tracer:     tracer.TracerProvider,
		Meter:      meter,
		Propagator: newPropagator(),
		Metrics:    handler,
		shutdown:   []func(context.Context) error{tracer.shutdown, meter.Shutdown},
	}, nil
}

// Nop is telemetry that goes nowhere; it still carries trace context from one call to the next.
func Nop() *Telemetry {
	return &Telemetry{
		Service:    "nop",
		Logger:     slog.New(slog.DiscardHandler),
		Tracer:     tracenoop.NewTracerProvider(),
		Meter:      metricnoop.NewMeterProvider(),
		Propagator: newPropagator(),
		Metrics:    http.NotFoundHandler(),
	}
}

// Shutdown sends what has been recorded and releases the exporters. Nothing may be recorded after it.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	var errs []error
	for _, shutdown := range t.shutdown {
		if err := shutdown(ctx); err != nil && !errors.Is(err, sdkmetric.ErrReaderShutdown) {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("shut telemetry down: %w", err)
	}
	return nil
}

// ProgramVersion is the version of the main module, or the commit that it was built from.
func ProgramVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return setting.Value
		}
	}
	return "devel"
}

func newPropagator() propagation.TextMapPropagator {
	return propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
}
