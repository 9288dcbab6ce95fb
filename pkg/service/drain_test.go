package service_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/health"
	"github.com/atrium-mesh/atrium/pkg/service/servicetest"
	"github.com/atrium-mesh/atrium/pkg/tlsfile"
	"github.com/atrium-mesh/atrium/pkg/tlsfile/tlsfiletest"
)

// A pod of a service goes while another is there, and the gateway sends what must not be sent twice: nothing fails, nothing is lost.
func TestDrainUnderLoad(t *testing.T) {
	t.Parallel()
	for name, secure := range map[string]bool{"plain": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const idle, drain = 200 * time.Millisecond, time.Second
			env := config.Source{"DRAIN_DELAY": drain.String()}
			transport := &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: idle}
			defer transport.CloseIdleConnections()
			pods := &pods{}
			transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, pods.pick(ctx))
			}
			if secure {
				cert, key := tlsfiletest.Write(t, t.TempDir())
				env["TLS_CERT_FILE"], env["TLS_KEY_FILE"] = cert, key
				roots, err := tlsfile.LoadRoots(cert, false, nil)
				require.NoError(t, err)
				transport.DialTLSContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
					return roots.DialTLS(new(net.Dialer), waitFor)(ctx, network, pods.pick(ctx))
				}
			}
			var served [2]atomic.Int64
			for i := range served {
				pods.all = append(pods.all, servicetest.Start(t, bare(false, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, err := io.Copy(io.Discard, r.Body)
					if err == nil {
						served[i].Add(1)
						w.WriteHeader(http.StatusNoContent)
					}
				})), servicetest.Options{Env: env}))
			}

			load := startLoad(t, &http.Client{Transport: transport, Timeout: waitFor}, pods.all[0].URL[:strings.Index(pods.all[0].URL, ":")]+"://service")
			enough := func(i int, more int64) {
				had := served[i].Load()
				require.Eventually(t, func() bool { return served[i].Load() > had+more }, waitFor, tick)
			}
			enough(0, 200)
			pods.all[0].Stop(t)
			enough(1, 200)
			sent, failures := load()
			require.Empty(t, failures)
			require.Equal(t, sent, served[0].Load()+served[1].Load(), "each has reached a pod once")
		})
	}
}

// pods are what is behind the name of a service: a connection goes to one that is ready.
type pods struct {
	all  []*servicetest.Service
	next atomic.Int64
}

func (p *pods) pick(ctx context.Context) (addr string) {
	for addr == "" && ctx.Err() == nil {
		pod := p.all[int(p.next.Add(1))%len(p.all)]
		if report, err := pod.Ready(ctx); err == nil && report.Status == health.OK {
			addr = pod.URL[strings.Index(pod.URL, "//")+2:]
		}
	}
	return addr
}

// startLoad posts from several clients at once, some of them with pauses in which their connections wait, until the function that it
// returns is called, which says how many were sent and what failed.
func startLoad(t *testing.T, client *http.Client, url string) func() (sent int64, failures []error) {
	t.Helper()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var sent int64
	var failures []error
	ctx, cancel := context.WithCancel(t.Context())
	post := func() error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, io.NopCloser(strings.NewReader("once"))) // cannot be sent again
		if err != nil {
			return err
		}
		res, err := client.Do(req)
		if err != nil {
			return err
		}
		if err := res.Body.Close(); res.StatusCode != http.StatusNoContent {
			return errors.Join(err, errors.New(res.Status))
		}
		return nil
	}
	for i := range 12 {
		wg.Go(func() {
			for ctx.Err() == nil {
				err := post()
				mu.Lock()
				if sent++; err != nil {
					failures = append(failures, err)
				}
				mu.Unlock()
				pause := time.NewTimer(time.Duration(i) * 15 * time.Millisecond)
				select {
				case <-pause.C:
				case <-ctx.Done():
				}
			}
		})
	}
	t.Cleanup(func() { cancel(); wg.Wait() })
	return func() (int64, []error) {
		cancel()
		wg.Wait()
		return sent, failures
	}
}
