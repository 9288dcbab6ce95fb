package health_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/atrium-mesh/atrium/pkg/health"
)

func TestReadyIsAMetric(t *testing.T) {
	t.Parallel()
	reader := sdk.NewManualReader()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	checks := health.New(health.Options{Meter: sdk.NewMeterProvider(sdk.WithReader(reader)), Now: func() time.Time { return now }})
	ready := func() map[string]int64 {
		t.Helper()
		now = now.Add(time.Minute)
		var all metricdata.ResourceMetrics
		require.NoError(t, reader.Collect(t.Context(), &all))
		found := map[string]int64{}
		for _, scope := range all.ScopeMetrics {
			for _, m := range scope.Metrics {
				require.Equal(t, "atrium.ready", m.Name)
				gauge, ok := m.Data.(metricdata.Gauge[int64])
				require.True(t, ok)
				for _, p := range gauge.DataPoints {
					check, _ := p.Attributes.Value("check")
					found[check.AsString()] = p.Value
				}
			}
		}
		return found
	}
	require.Empty(t, ready(), "nothing is checked")

	var down atomic.Bool
	checks.Add("postgres", func(context.Context) error {
		if down.Load() {
			return errors.New("away")
		}
		return nil
	})
	checks.Add("nats", well)
	require.Equal(t, map[string]int64{"postgres": 1, "nats": 1}, ready())
	down.Store(true)
	require.Equal(t, map[string]int64{"postgres": 0, "nats": 1}, ready())
	down.Store(false)
	require.Equal(t, map[string]int64{"postgres": 1, "nats": 1}, ready())
	checks.Drain()
	require.Equal(t, map[string]int64{"shutdown": 0}, ready(), "nothing else is looked at any more")
}
