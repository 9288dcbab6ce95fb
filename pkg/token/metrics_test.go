package token_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/pkg/token/tokentest"
)

func collect(t *testing.T, reader sdkmetric.Reader) map[string]metricdata.Aggregation {
	t.Helper()
	var data metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &data))
	all := map[string]metricdata.Aggregation{}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			all[m.Name] = m.Data
		}
	}
	return all
}

func TestVerificationsAreCountedByOutcome(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	c := newClock()
	issuer := tokentest.NewIssuer(t, tokentest.WithClock(c.Now))
	verifier := token.NewVerifier(token.Config{
		Issuers: []token.Issuer{issuer.Own()}, Clock: c.Now, Meter: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
		HTTPClient: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}},
	})
	t.Cleanup(func() { require.NoError(t, verifier.Stop(t.Context())) })
	good := issuer.Sign(tokentest.Claims{})
	for _, raw := range []string{"", good, good, good, issuer.Expired(tokentest.Claims{}), issuer.Forged(tokentest.Claims{}), "x"} {
		_, err := verifier.Verify(t.Context(), raw)
		require.Equal(t, raw == good, err == nil)
	}
	sum, ok := collect(t, reader)["atrium.token.verifications"].(metricdata.Sum[int64])
	require.True(t, ok)
	got := map[string]int64{}
	for _, point := range sum.DataPoints {
		outcome, _ := point.Attributes.Value("outcome")
		got[outcome.AsString()] = point.Value
	}
	require.Equal(t, map[string]int64{
		"verified": 1, "cached": 2, token.CodeMissing: 1, token.CodeExpired: 1, token.CodeInvalid: 2,
	}, got)
}

func TestStalenessIsMeasured(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reader := sdkmetric.NewManualReader()
		l := &list{}
		w := token.NewWatermarks(nil)
		f := token.NewFollower(token.FollowerConfig{
			Watermarks: w, Poll: l.poll, Meter: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)), Interval: time.Hour,
		})
		require.NoError(t, f.Start(t.Context()))
		synctest.Wait()
		w.Raise(userMark("u", time.Now()))
		pass(42 * time.Second)
		metrics := collect(t, reader)
		staleness, ok := metrics["atrium.token.watermarks.staleness"].(metricdata.Gauge[float64])
		require.True(t, ok)
		require.InDelta(t, 42, staleness.DataPoints[0].Value, 0)
		size, ok := metrics["atrium.token.watermarks.size"].(metricdata.Gauge[int64])
		require.True(t, ok)
		require.EqualValues(t, 1, size.DataPoints[0].Value)
		require.NoError(t, f.Stop(t.Context()))
		require.Empty(t, collect(t, reader), "a stopped follower is not measured")
	})
}
