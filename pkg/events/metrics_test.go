package events_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/atrium-mesh/atrium/pkg/events"
)

func TestMetrics(t *testing.T) {
	t.Parallel()
	b := setup(t)
	reader := sdkmetric.NewManualReader()
	meter := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	b.nats.Stop()
	b.publish("a", 1, 3)
	stop := b.run(events.NewRelay(events.RelayConfig{Pool: b.producer, JS: b.js, Stream: "USERS", Prefix: "users", Meter: meter}))
	require.True(t, poll(soon, func() bool { return value(t, reader, "atrium.events.outbox.pending") == 3 }), "NATS is away")
	require.Positive(t, value(t, reader, "atrium.events.outbox.oldest"))
	require.InDelta(t, 0, value(t, reader, "atrium.events.dead_letters"), 0)

	b.run(events.NewConsumer(events.ConsumerConfig{Name: "test", Pool: b.consumer, JS: b.js, Meter: meter, Handlers: []events.Handler{record()}}))
	b.nats.Start()
	b.eventually("a", 3)
	require.True(t, poll(soon, func() bool { return value(t, reader, "atrium.events.published") == 3 }))
	require.True(t, poll(soon, func() bool { return value(t, reader, "atrium.events.outbox.pending") == 0 }))
	require.True(t, poll(soon, func() bool { return value(t, reader, "atrium.events.handled") == 3 }))
	require.InDelta(t, 3, value(t, reader, "atrium.events.delay"), 0)
	require.InDelta(t, 0, value(t, reader, "atrium.events.consumer.pending"), 0)
	stop()
	require.InDelta(t, -1, value(t, reader, "atrium.events.outbox.pending"), 0, "who does not lead says nothing")
}

func TestRetention(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.publish("old", 1, 2)
	b.publish("young", 1, 1)
	_, err := b.producer.Exec(t.Context(), "UPDATE outbox SET published_at = now() - interval '2 hours' WHERE subject = 'old' AND seq = 1")
	require.NoError(t, err)
	_, err = b.consumer.Exec(t.Context(), `INSERT INTO inbox (consumer, event_id, type, handled_at)
		SELECT 'test', gen_random_uuid(), 'x', now() - make_interval(hours => n) FROM generate_series(0, 3) AS n`)
	require.NoError(t, err)
	b.run(events.NewRelay(events.RelayConfig{Pool: b.producer, JS: b.js, Stream: "USERS", Prefix: "users", Retention: time.Hour}))
	b.run(events.NewConsumer(events.ConsumerConfig{Name: "test", Pool: b.consumer, JS: b.js, Retention: 90 * time.Minute, Handlers: []events.Handler{record()}}))
	b.allPublished()
	require.True(t, poll(soon, func() bool { return scan[int](t, b.producer, "SELECT count(*) FROM outbox") == 2 }))
	require.True(t, poll(soon, func() bool { return scan[int](t, b.consumer, "SELECT count(*) FROM inbox WHERE type = 'x'") == 2 }))
}

// value is the sum of an instrument's points (of a histogram, their count), or -1 when it has none.
func value(t *testing.T, reader sdkmetric.Reader, name string) float64 {
	t.Helper()
	var data metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &data))
	sum := -1.0
	add := func(v float64) { sum = max(sum, 0) + v }
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name != name {
				continue
			}
			switch points := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range points.DataPoints {
					add(float64(p.Value))
				}
			case metricdata.Gauge[int64]:
				for _, p := range points.DataPoints {
					add(float64(p.Value))
				}
			case metricdata.Gauge[float64]:
				for _, p := range points.DataPoints {
					add(p.Value)
				}
			case metricdata.Histogram[float64]:
				for _, p := range points.DataPoints {
					add(float64(p.Count))
				}
			}
		}
	}
	return sum
}
