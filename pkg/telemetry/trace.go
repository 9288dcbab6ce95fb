package telemetry

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/atrium-mesh/atrium/pkg/config"
)

const (
	protocolHTTP = "http/protobuf"
	protocolGRPC = "grpc"
	parentBased  = "parentbased_"
)

// newResource says whose spans and metrics these are. The names are those of the semantic conventions.
func newResource(cfg Config) (*resource.Resource, error) {
	given, err := pairs(cfg.ResourceAttributes)
	if err != nil {
		return nil, fmt.Errorf("read resource attributes: %w", err)
	}
	given["service.name"] = cfg.Service
	given["service.version"] = cfg.Version
	given["service.namespace"] = "atrium"
	attributes := make([]attribute.KeyValue, 0, len(given))
	for name, value := range given {
		attributes = append(attributes, attribute.String(name, value))
	}
	return resource.NewSchemaless(attributes...), nil
}

// tracer is a provider that is rid of its OTLP exporter in time.
type tracer struct {
	*sdktrace.TracerProvider
	exporter sdktrace.SpanExporter // nil when nothing is exported
}

func newTracer(ctx context.Context, cfg Config, res *resource.Resource, processors []sdktrace.SpanProcessor) (*tracer, error) {
	sampler, err := newSampler(cfg)
	if err != nil {
		return nil, err
	}
	var exporter sdktrace.SpanExporter
	opts := []sdktrace.TracerProviderOption{sdktrace.WithResource(res), sdktrace.WithSampler(sampler)}
	for _, p := range processors {
		opts = append(opts, sdktrace.WithSpanProcessor(p))
	}
	if cfg.Endpoint != "" {
		exporter, err = newSpanExporter(ctx, cfg)
		if err != nil {
			return nil, fmt.Errorf("make the OTLP span exporter: %w", err)
		}
		opts = append(opts, sdktrace.WithBatcher(exporter))
	}
	return &tracer{sdktrace.NewTracerProvider(opts...), exporter}, nil
}

// shutdown sends what is left until ctx is done. The SDK would go on retrying for half a minute after that when the
// receiver is away, unless the exporter is shut as well.
func (t *tracer) shutdown(ctx context.Context) error {
	err := t.TracerProvider.Shutdown(ctx)
	if err != nil && t.exporter != nil {
		return errors.Join(err, t.exporter.Shutdown(ctx))
	}
	return err
}

func newSampler(cfg Config) (sdktrace.Sampler, error) {
	ratio, err := cfg.ratio()
	if err != nil {
		return nil, fmt.Errorf("read the sampling ratio: %w", err)
	}
	name, parent := strings.CutPrefix(cfg.Sampler, parentBased)
	var sampler sdktrace.Sampler
	switch name {
	case "always_off":
		sampler = sdktrace.NeverSample()
	case "traceidratio":
		sampler = sdktrace.TraceIDRatioBased(ratio)
	default:
		sampler = sdktrace.AlwaysSample()
	}
	if parent || cfg.Sampler == "" {
		sampler = sdktrace.ParentBased(sampler)
	}
	return sampler, nil
}

func newSpanExporter(ctx context.Context, cfg Config) (sdktrace.SpanExporter, error) {
	endpoint, err := config.BaseOf(cfg.Endpoint)
	if err != nil {
		return nil, err
	}
	headers, err := pairs(cfg.Headers)
	if err != nil {
		return nil, err
	}
	if cfg.Protocol == protocolGRPC {
		return otlptracegrpc.New(ctx, otlptracegrpc.WithEndpointURL(endpoint.String()), otlptracegrpc.WithHeaders(headers))
	}
	return otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint.JoinPath("v1/traces").String()), otlptracehttp.WithHeaders(headers))
}
