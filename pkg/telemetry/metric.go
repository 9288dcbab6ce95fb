package telemetry

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/atrium-mesh/atrium/pkg/config"
)

const defaultMetricInterval = time.Minute

// newMeter returns a provider and the handler that shows its metrics, with those of the Go runtime, to Prometheus.
func newMeter(ctx context.Context, cfg Config, res *resource.Resource) (*sdkmetric.MeterProvider, http.Handler, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	reader, err := otelprometheus.New(otelprometheus.WithRegisterer(registry))
	if err != nil {
		return nil, nil, fmt.Errorf("make the Prometheus exporter: %w", err)
	}
	opts := []sdkmetric.Option{sdkmetric.WithResource(res), sdkmetric.WithReader(reader)}
	if cfg.Endpoint != "" {
		exporter, err := newMetricExporter(ctx, cfg)
		if err != nil {
			return nil, nil, fmt.Errorf("make the OTLP metric exporter: %w", err)
		}
		opts = append(opts, sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter, sdkmetric.WithInterval(cfg.metricInterval()))))
	}
	handler := promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry, MaxRequestsInFlight: 4})
	return sdkmetric.NewMeterProvider(opts...), handler, nil
}

func (c Config) metricInterval() time.Duration {
	if c.MetricInterval == 0 {
		return defaultMetricInterval
	}
	return time.Duration(c.MetricInterval) * time.Millisecond
}

func newMetricExporter(ctx context.Context, cfg Config) (sdkmetric.Exporter, error) {
	endpoint, err := config.BaseOf(cfg.Endpoint)
	if err != nil {
		return nil, err
	}
	headers, err := pairs(cfg.Headers)
	if err != nil {
		return nil, err
	}
	if cfg.Protocol == protocolGRPC {
		return otlpmetricgrpc.New(ctx, otlpmetricgrpc.WithEndpointURL(endpoint.String()), otlpmetricgrpc.WithHeaders(headers))
	}
	return otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpointURL(endpoint.JoinPath("v1/metrics").String()), otlpmetrichttp.WithHeaders(headers))
}
