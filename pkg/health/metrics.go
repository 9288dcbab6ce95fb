package health

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

const scopeName = "github.com/atrium-mesh/atrium/pkg/health"

// observe makes what probes see a metric, one series a check: atrium.ready is 1 when it is well and 0 when it is not. Whoever collects
// metrics has the checks run, as a probe does.
func (c *Checks) observe(provider metric.MeterProvider) {
	if provider == nil {
		provider = noop.NewMeterProvider()
	}
	meter := provider.Meter(scopeName)
	gauge, err := meter.Int64ObservableGauge("atrium.ready",
		metric.WithDescription("Whether a readiness check is well (1) or fails (0)"))
	if err == nil {
		_, err = meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
			for name, result := range c.Ready(ctx).Checks {
				value := int64(0)
				if result.Status == OK {
					value = 1
				}
				o.ObserveInt64(gauge, value, metric.WithAttributes(attribute.String("check", name)))
			}
			return nil
		}, gauge)
	}
	if err != nil {
		c.options.Logger.Warn("readiness is not among the metrics", "error", err)
	}
}
