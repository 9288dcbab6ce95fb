package tickets

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// What becomes of tickets.
const (
	outcomeIssued   = "issued"
	outcomeRedeemed = "redeemed"
	outcomeRefused  = "refused" // used before, too late, or made up
	outcomeExpired  = "expired" // removed without having been used
)

type metrics struct {
	tickets metric.Int64Counter
	kept    metric.Int64Gauge
}

func newMetrics(provider metric.MeterProvider) (metrics, error) {
	meter := provider.Meter("atrium/notifications")
	tickets, err := meter.Int64Counter("atrium.notifications.stream_tickets",
		metric.WithDescription("Tickets of live streams, by outcome: issued, redeemed, refused, expired."))
	kept, err2 := meter.Int64Gauge("atrium.notifications.stream_tickets.kept",
		metric.WithDescription("Tickets in the table after the last time that expired ones were removed."))
	if err := errors.Join(err, err2); err != nil {
		return metrics{}, fmt.Errorf("make the tickets' metrics: %w", err)
	}
	return metrics{tickets: tickets, kept: kept}, nil
}

func (m metrics) count(ctx context.Context, outcome string, n int64) {
	if n > 0 {
		m.tickets.Add(ctx, n, metric.WithAttributes(attribute.String("outcome", outcome)))
	}
}
