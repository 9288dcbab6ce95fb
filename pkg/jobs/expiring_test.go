package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/atrium-mesh/atrium/pkg/jobs"
)

func TestCleaner_works_in_batches_and_past_failures(t *testing.T) {
	t.Parallel()
	left, log, reader := int64(2500), &bytes.Buffer{}, sdkmetric.NewManualReader()
	now := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	broken := errors.New("broken")
	cleaner, err := jobs.NewCleaner(jobs.CleanerConfig{
		Service: "things",
		Kinds: []jobs.Expiring{
			{
				Name:   "broken",
				Delete: func(context.Context, time.Time, int32) (int64, error) { return 0, broken },
				Count:  func(context.Context) (int64, error) { return 0, broken },
			},
			{
				Name: "many",
				Keep: time.Hour,
				Delete: func(_ context.Context, before time.Time, limit int32) (int64, error) {
					require.Equal(t, now.Add(-time.Hour), before)
					n := min(left, int64(limit))
					left -= n
					return n, nil
				},
			},
			{
				Name:  "kept for ever",
				Count: func(context.Context) (int64, error) { return 7, nil },
			},
		},
		Clock:  func() time.Time { return now },
		Logger: slog.New(slog.NewTextHandler(log, nil)),
		Meter:  sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
	})
	require.NoError(t, err)
	err = cleaner.Clean(t.Context())
	require.ErrorIs(t, err, broken)
	require.ErrorContains(t, err, "clean up broken")
	require.ErrorContains(t, err, "count broken")
	require.Zero(t, left)
	require.Contains(t, log.String(), "kind=many rows=2500")

	var told metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &told))
	metric := told.ScopeMetrics[0].Metrics[0]
	require.Equal(t, "atrium.things.rows", metric.Name)
	points := metric.Data.(metricdata.Gauge[int64]).DataPoints
	require.Len(t, points, 1)
	require.EqualValues(t, 7, points[0].Value)
}
