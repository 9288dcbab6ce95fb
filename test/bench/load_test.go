package bench

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

const (
	clients  = 16              // closed loops at a time
	measured = 5 * time.Second // of one row
	warmUp   = time.Second
)

// row is what one kind of request did under load.
type row struct {
	Name      string
	PerSecond float64
	P50, P99  time.Duration
	Failures  int
}

// load runs clients that do one thing after the other for a time, and reports what that came to. do is given the number of the
// client and its turn; anything but nil is a failure, and more than a few fail the benchmark.
func load(b *testing.B, name string, do func(client, turn int) error) row {
	b.Helper()
	run(warmUp, do)
	took, failed := run(measured, do)
	slices.Sort(took)
	if len(took) == 0 || len(failed)*100 > len(took) {
		b.Fatalf("%s: %d of %d failed, the first with: %v", name, len(failed), len(took)+len(failed), first(failed))
	}
	r := row{
		Name: name, PerSecond: float64(len(took)) / measured.Seconds(), P50: took[len(took)/2], P99: took[len(took)*99/100], Failures: len(failed),
	}
	b.ReportMetric(r.PerSecond, "req/s")
	b.ReportMetric(float64(r.P50.Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(r.P99.Microseconds())/1000, "p99-ms")
	return r
}

func first(failed []error) error {
	if len(failed) == 0 {
		return nil
	}
	return failed[0]
}

func run(duration time.Duration, do func(client, turn int) error) (took []time.Duration, failed []error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	end := time.Now().Add(duration)
	for c := range clients {
		wg.Go(func() {
			var mine []time.Duration
			var wrong []error
			for turn := 0; time.Now().Before(end); turn++ {
				begin := time.Now()
				if err := do(c, turn); err != nil {
					wrong = append(wrong, err)
					continue
				}
				mine = append(mine, time.Since(begin))
			}
			mu.Lock()
			defer mu.Unlock()
			took, failed = append(took, mine...), append(failed, wrong...)
		})
	}
	wg.Wait()
	return took, failed
}

// loader is an HTTP client that keeps its connections.
var loader = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * clients}, Timeout: 30 * time.Second}

// get reads a resource whole and wants a 200.
func get(url, token string) error {
	req, err := http.NewRequest(http.MethodGet, url, http.NoBody) //nolint:noctx // the client has a timeout
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := loader.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	return nil
}
