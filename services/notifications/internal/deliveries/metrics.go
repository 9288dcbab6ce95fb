package deliveries

import (
	"cmp"
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

// newAttempts counts attempts to deliver by how they ended. The name is a constant, so that it cannot be refused.
func newAttempts(provider metric.MeterProvider) metric.Int64Counter {
	if provider == nil {
		provider = noop.NewMeterProvider()
	}
	counter, err := provider.Meter("atrium/notifications").Int64Counter("atrium.notifications.attempts",
		metric.WithDescription("Attempts to deliver, by channel, outcome (sent, failed: tried again, dead: given up, skipped: not wanted) and reason."))
	if err != nil {
		return noop.Int64Counter{}
	}
	return counter
}

func count(ctx context.Context, attempts metric.Int64Counter, a attempt, r Result) {
	attempts.Add(ctx, 1, metric.WithAttributes(attribute.String("channel", string(a.Channel)), attribute.String("outcome", string(r.State)),
		attribute.String("reason", cmp.Or(r.Reason, "none"))))
}
