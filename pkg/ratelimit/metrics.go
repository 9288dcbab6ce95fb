package ratelimit

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

// where something was counted.
type where string

const (
	inMemory   where = "memory"
	inRedis    where = "redis"
	inFallback where = "fallback" // in the process, since Redis is away
)

type outcome struct {
	where   where
	allowed bool
}

// metrics counts decisions. The attributes are made once, since every request passes here.
type metrics struct {
	decisions metric.Int64Counter
	outcomes  map[outcome]metric.MeasurementOption
}

func newMetrics(provider metric.MeterProvider, name string) metrics {
	if provider == nil {
		provider = noop.NewMeterProvider()
	}
	counter, err := provider.Meter("github.com/atrium-mesh/atrium/pkg/ratelimit").Int64Counter("atrium.ratelimit.decisions",
		metric.WithDescription("What rate limits decided, and where they counted; fallback means that Redis is away"),
		metric.WithUnit("{decision}"))
	if err != nil {
		counter = noop.Int64Counter{}
	}
	m := metrics{decisions: counter, outcomes: map[outcome]metric.MeasurementOption{}}
	for _, w := range []where{inMemory, inRedis, inFallback} {
		for _, allowed := range []bool{true, false} {
			m.outcomes[outcome{w, allowed}] = metric.WithAttributeSet(attribute.NewSet(
				attribute.String("limit", name), attribute.String("where", string(w)), attribute.Bool("allowed", allowed)))
		}
	}
	return m
}

func (m metrics) count(ctx context.Context, w where, d Decision) {
	m.decisions.Add(ctx, 1, m.outcomes[outcome{w, d.Allowed}])
}
