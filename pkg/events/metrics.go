package events

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
)

const scope = "github.com/atrium-mesh/atrium/pkg/events"

func tracerOf(tp trace.TracerProvider) trace.Tracer {
	if tp == nil {
		tp = tracenoop.NewTracerProvider()
	}
	return tp.Tracer(scope)
}

func meterOf(mp metric.MeterProvider) metric.Meter {
	if mp == nil {
		mp = noop.NewMeterProvider()
	}
	return mp.Meter(scope)
}

// lag is how far a relay is behind.
type lag struct {
	events int64
	oldest float64          // seconds
	dead   map[string]int64 // dead letters in the same database that are not resolved, by type
}

// relayMetrics are a relay's instruments. Making one fails only for a name that is not allowed, and then yields one that does
// nothing, which is why errors are left alone here.
type relayMetrics struct {
	stream  attribute.KeyValue
	lag     atomic.Pointer[lag] // nil: not leading
	counter metric.Int64Counter
}

func newRelayMetrics(mp metric.MeterProvider, stream string) *relayMetrics {
	meter := meterOf(mp)
	m := &relayMetrics{stream: attribute.String("stream", stream)}
	m.counter, _ = meter.Int64Counter("atrium.events.published", metric.WithDescription("Events that JetStream has acknowledged."))
	_, _ = meter.Int64ObservableGauge("atrium.events.outbox.pending", metric.WithDescription("Events in the outbox that are not published."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			if l := m.lag.Load(); l != nil {
				o.Observe(l.events, metric.WithAttributes(m.stream))
			}
			return nil
		}))
	_, _ = meter.Float64ObservableGauge("atrium.events.outbox.oldest", metric.WithUnit("s"),
		metric.WithDescription("Age of the oldest event that is not published."),
		metric.WithFloat64Callback(func(_ context.Context, o metric.Float64Observer) error {
			if l := m.lag.Load(); l != nil {
				o.Observe(l.oldest, metric.WithAttributes(m.stream))
			}
			return nil
		}))
	_, _ = meter.Int64ObservableGauge("atrium.events.dead_letters",
		metric.WithDescription("Events that this service could not handle, by type."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			l := m.lag.Load()
			if l == nil {
				return nil
			}
			if len(l.dead) == 0 {
				o.Observe(0, metric.WithAttributes(attribute.String("type", ""))) // of none
			}
			for typeName, n := range l.dead {
				o.Observe(n, metric.WithAttributes(attribute.String("type", typeName)))
			}
			return nil
		}))
	return m
}

func (m *relayMetrics) published(ctx context.Context, typeName string) {
	m.counter.Add(ctx, 1, metric.WithAttributes(m.stream, attribute.String("type", typeName)))
}

// The outcomes of handling an event.
const (
	outcomeDone       = "done"
	outcomeKnown      = "known" // handled before
	outcomeRetry      = "retry"
	outcomeDeadLetter = "dead_letter"
)

type consumerMetrics struct {
	consumer attribute.KeyValue
	handled  metric.Int64Counter
	delay    metric.Float64Histogram
	pending  metric.Int64Gauge
}

func newConsumerMetrics(mp metric.MeterProvider, consumer string) *consumerMetrics {
	meter := meterOf(mp)
	m := &consumerMetrics{consumer: attribute.String("consumer", consumer)}
	m.handled, _ = meter.Int64Counter("atrium.events.handled", metric.WithDescription("Attempts to handle an event, by outcome."))
	m.pending, _ = meter.Int64Gauge("atrium.events.consumer.pending",
		metric.WithDescription("Events that waited behind the last one that arrived."))
	m.delay, _ = meter.Float64Histogram("atrium.events.delay", metric.WithUnit("s"),
		metric.WithDescription("Time from the publication of an event to its effect."),
		metric.WithExplicitBucketBoundaries(.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 60, 600, 3600))
	return m
}

// behind tells how many events of a stream wait behind the last of those that arrived, as JetStream says with each delivery.
func (m *consumerMetrics) behind(ctx context.Context, stream string, arrived []jetstream.Msg) {
	if len(arrived) == 0 {
		return
	}
	meta, err := arrived[len(arrived)-1].Metadata()
	if err != nil {
		return
	}
	m.pending.Record(ctx, int64(min(meta.NumPending, math.MaxInt64)), metric.WithAttributes(m.consumer, attribute.String("stream", stream)))
}

func (m *consumerMetrics) count(ctx context.Context, e envelope, outcome string) {
	typeName := attribute.String("type", e.Type)
	m.handled.Add(ctx, 1, metric.WithAttributes(m.consumer, typeName, attribute.String("outcome", outcome)))
	if outcome == outcomeDone {
		m.delay.Record(ctx, time.Since(e.Time).Seconds(), metric.WithAttributes(m.consumer, typeName))
	}
}
