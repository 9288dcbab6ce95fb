package keys

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

// observe tells of each algorithm how long the key that signs has yet to, by KEY_ROTATION. It is below zero when nobody rotates.
func (r *Ring) observe(provider metric.MeterProvider) error {
	if provider == nil {
		provider = noop.NewMeterProvider()
	}
	_, err := provider.Meter("atrium/auth").Float64ObservableGauge("atrium.auth.signing_key.remaining", metric.WithUnit("s"),
		metric.WithDescription("How long the key that signs has yet to sign; below zero: its successor is overdue."),
		metric.WithFloat64Callback(func(_ context.Context, o metric.Float64Observer) error {
			s, now := r.current.Load(), r.Clock()
			if s == nil {
				return nil
			}
			for _, a := range r.algorithms {
				if life, ok := signer(s.lives, a, now); ok {
					left := life.ActivatesAt.Add(r.schedule.rotation).Sub(now).Seconds()
					o.Observe(left, metric.WithAttributes(attribute.String("algorithm", string(a))))
				}
			}
			return nil
		}))
	if err != nil {
		return fmt.Errorf("measure the signing keys: %w", err)
	}
	return nil
}
