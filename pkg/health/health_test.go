package health_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/atrium-mesh/atrium/pkg/health"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func well(context.Context) error { return nil }

func probe(t *testing.T, h http.Handler) (int, health.Report) {
	t.Helper()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody))
	var report health.Report
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &report))
	require.Equal(t, "application/json", rec.Header().Get("Content-Type"))
	return rec.Code, report
}

func TestReady(t *testing.T) {
	t.Parallel()

	t.Run("everything well", func(t *testing.T) {
		t.Parallel()
		checks := health.New(health.Options{})
		checks.Add("postgres", well)
		checks.Add("nats", well)
		code, report := probe(t, checks.ReadyHandler())
		require.Equal(t, http.StatusOK, code)
		require.Equal(t, health.Report{Status: health.OK, Checks: map[string]health.Result{
			"postgres": {Status: health.OK}, "nats": {Status: health.OK},
		}}, report)
	})

	t.Run("a failure does not show the driver's text", func(t *testing.T) {
		t.Parallel()
		checks := health.New(health.Options{})
		checks.Add("postgres", func(context.Context) error { return errors.New("dial tcp 10.0.0.7: password=hunter2") })
		checks.Add("panics", func(context.Context) error { panic("hunter2") })
		checks.Add("nats", well)
		code, report := probe(t, checks.ReadyHandler())
		require.Equal(t, http.StatusServiceUnavailable, code)
		require.Equal(t, health.Report{Status: health.Fail, Checks: map[string]health.Result{
			"postgres": {Status: health.Fail, Error: "unavailable"},
			"panics":   {Status: health.Fail, Error: "unavailable"},
			"nats":     {Status: health.OK},
		}}, report)
	})

	t.Run("checks run together and each is bounded", func(t *testing.T) {
		t.Parallel()
		checks := health.New(health.Options{Timeout: 20 * time.Millisecond})
		var together sync.WaitGroup
		together.Add(2)
		meet := func(context.Context) error { together.Done(); together.Wait(); return nil }
		checks.Add("a", meet)
		checks.Add("b", meet)
		checks.Add("slow", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		require.Equal(t, map[string]health.Result{
			"a": {Status: health.OK}, "b": {Status: health.OK}, "slow": {Status: health.Fail, Error: "timeout"},
		}, checks.Ready(t.Context()).Checks)
	})

	t.Run("a probe that gives up does not fail the checks", func(t *testing.T) {
		t.Parallel()
		checks := health.New(health.Options{})
		checks.Add("a", func(ctx context.Context) error { return ctx.Err() })
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.Equal(t, health.OK, checks.Ready(ctx).Status)
	})

	t.Run("a report is reused for a moment and a change is noticed after it", func(t *testing.T) {
		t.Parallel()
		now := time.Now()
		var runs atomic.Int32
		var broken error
		checks := health.New(health.Options{Now: func() time.Time { return now }})
		checks.Add("a", func(context.Context) error { runs.Add(1); return broken })
		require.Equal(t, health.OK, checks.Ready(t.Context()).Status)
		broken = errors.New("gone")
		require.Equal(t, health.OK, checks.Ready(t.Context()).Status)
		require.EqualValues(t, 1, runs.Load())
		now = now.Add(health.DefaultCacheFor)
		require.Equal(t, health.Fail, checks.Ready(t.Context()).Status)
		broken = nil
		require.Equal(t, health.Fail, checks.Ready(t.Context()).Status)
		now = now.Add(100 * time.Millisecond)
		require.Equal(t, health.OK, checks.Ready(t.Context()).Status, "a recovery is noticed sooner")
		require.EqualValues(t, 3, runs.Load())
	})

	t.Run("the same name twice is a mistake", func(t *testing.T) {
		t.Parallel()
		checks := health.New(health.Options{})
		checks.Add("a", well)
		require.Panics(t, func() { checks.Add("a", well) })
	})
}

func TestDraining(t *testing.T) {
	t.Parallel()

	t.Run("not ready at once, alive for ever", func(t *testing.T) {
		t.Parallel()
		checks := health.New(health.Options{})
		checks.Add("a", well)
		require.Equal(t, health.OK, checks.Ready(t.Context()).Status)
		drain := checks.Draining(0, nil)
		require.NoError(t, drain.Start(t.Context()))
		require.NoError(t, drain.Stop(t.Context()))
		code, report := probe(t, checks.ReadyHandler())
		require.Equal(t, http.StatusServiceUnavailable, code)
		require.Equal(t, "shutting down", report.Checks["shutdown"].Error)
		code, _ = probe(t, health.LiveHandler())
		require.Equal(t, http.StatusOK, code)
	})

	t.Run("waits for load balancers, at most as long as a stop may take", func(t *testing.T) {
		t.Parallel()
		checks := health.New(health.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		require.NoError(t, checks.Draining(time.Hour, nil).Stop(ctx))
		require.Error(t, ctx.Err())
		require.NoError(t, checks.Draining(time.Millisecond, nil).Stop(t.Context()))
	})
}

func TestAdmin(t *testing.T) {
	t.Parallel()
	checks := health.New(health.Options{})
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "up 1\n") })
	admin := health.NewAdmin("127.0.0.1:0", checks, metrics)
	require.NoError(t, admin.Start(t.Context()))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for path, want := range map[string]string{"/livez": `"ok"`, "/readyz": `"ok"`, "/metrics": "up 1", "/else": "not found"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, admin.URL()+path, http.NoBody)
		require.NoError(t, err)
		res, err := client.Do(req)
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Contains(t, strings.ToLower(string(body)), want, path)
	}
	require.NoError(t, admin.Stop(t.Context()))
}
