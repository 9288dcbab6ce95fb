package breach_test

import (
	"context"
	"crypto/sha1" //nolint:gosec // the range API's digest
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/atrium-mesh/atrium/services/auth/internal/password/breach"
)

const password = "four-quiet-otters"

// digest is what the service is asked with.
func digest(password string) (prefix, rest string) {
	sum := sha1.Sum([]byte(password)) //nolint:gosec // see above
	text := strings.ToUpper(hex.EncodeToString(sum[:]))
	return text[:5], text[5:]
}

type service struct {
	*httptest.Server
	asked atomic.Int32
}

// serve is a service that answers with handle.
func serve(t *testing.T, handle http.HandlerFunc) *service {
	t.Helper()
	s := &service{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		handle(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func client(t *testing.T, endpoint string, deps breach.Deps) *breach.Client {
	t.Helper()
	c, err := breach.New(endpoint, deps)
	require.NoError(t, err)
	return c
}

func TestKnown(t *testing.T) {
	t.Parallel()
	prefix, rest := digest(password)
	for name, c := range map[string]struct {
		answer string
		known  bool
	}{
		"it is there":                      {"0018A45C4D1DEF81644B54AB7F969B88D65:1\r\n" + rest + ":42\r\n", true},
		"it is there, in small letters":    {strings.ToLower(rest) + ":1", true},
		"it is not there":                  {"0018A45C4D1DEF81644B54AB7F969B88D65:1\r\n", false},
		"it only pads the answer":          {rest + ":0\r\n", false},
		"nothing":                          {"", false},
		"its beginning":                    {rest[:30] + ":7", false},
		"no count":                         {rest, false},
		"something else":                   {"<html>" + rest, false},
		"other lines of any kind around":   {"\n::\n:1\n" + rest + ":3\n\x00\n", true},
		"it is there, after a long answer": {strings.Repeat("0018A45C4D1DEF81644B54AB7F969B88D65:1\r\n", 2000) + rest + ":1", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/range/"+prefix || r.Header.Get("Add-Padding") != "true" || r.Method != http.MethodGet {
					w.WriteHeader(http.StatusNotFound)
					return
				}
				_, _ = fmt.Fprint(w, c.answer)
			})
			require.Equal(t, c.known, client(t, s.URL+"/range/", breach.Deps{}).Known(t.Context(), password))
			require.EqualValues(t, 1, s.asked.Load())
		})
	}
}

// Whatever the service does, a password can be chosen, soon, and nobody learns which from a log.
func TestKnown_fails_open(t *testing.T) {
	t.Parallel()
	prefix, rest := digest(password)
	for name, handle := range map[string]http.HandlerFunc{
		"an error": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"too many": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest", http.StatusFound)
		},
		"a line without end": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprint(w, rest, ":1\n", strings.Repeat("A", 1<<20))
		},
		"an answer without end": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprint(w, rest, ":1\n", strings.Repeat("A:1\n", 1<<20))
		},
		"an answer cut short": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = fmt.Fprint(w, rest, ":1\n")
		},
		"no answer": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"half an answer": func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprint(w, rest, ":1\n")
			w.(http.Flusher).Flush() //nolint:forcetypeassert // the server's own
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log lockedBuilder
			s := serve(t, handle)
			c := client(t, s.URL, breach.Deps{Logger: slog.New(slog.NewTextHandler(&log, nil))})
			start := time.Now()
			require.False(t, c.Known(t.Context(), password))
			require.Less(t, time.Since(start), 4*time.Second)
			require.Contains(t, log.String(), "could not be asked")
			for _, secret := range []string{password, prefix, rest, strings.ToLower(prefix)} {
				require.NotContains(t, log.String(), secret)
			}
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		t.Parallel()
		require.False(t, client(t, "http://127.0.0.1:1/range", breach.Deps{}).Known(t.Context(), password))
	})
}

func TestKnown_leaves_a_dead_service_alone(t *testing.T) {
	t.Parallel()
	_, rest := digest(password)
	var well atomic.Bool
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if !well.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = fmt.Fprint(w, rest, ":1")
	})
	reader := sdkmetric.NewManualReader()
	meter := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	c := client(t, s.URL, breach.Deps{Meter: meter, OpenFor: 200 * time.Millisecond})
	for range 20 {
		require.False(t, c.Known(t.Context(), password))
	}
	require.EqualValues(t, 3, s.asked.Load(), "after three failures nobody asks")
	require.Equal(t, map[string]int64{"failed": 3, "skipped": 17}, outcomes(t, reader))

	well.Store(true)
	require.Eventually(t, func() bool { return c.Known(t.Context(), password) }, 5*time.Second, 20*time.Millisecond, "it is asked again")
	require.EqualValues(t, 1, outcomes(t, reader)["known"])
}

// People who close the page are no fault of the service.
func TestKnown_a_client_that_leaves_opens_nothing(t *testing.T) {
	t.Parallel()
	_, rest := digest(password)
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, rest, ":1") })
	c := client(t, s.URL, breach.Deps{})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 {
		require.False(t, c.Known(gone, password))
	}
	require.True(t, c.Known(t.Context(), password))
}

func TestNew_refuses(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"", "api.example.com/range", "ftp://api.example.com", "https://", "https://a@b.c/range", "https://b.c/?q=1", "https://b.c/?", "http://b.c:0", "http://*", "https://b.c/#x", ":"} {
		_, err := breach.New(endpoint, breach.Deps{})
		require.Error(t, err, endpoint)
	}
}

func outcomes(t *testing.T, reader *sdkmetric.ManualReader) map[string]int64 {
	t.Helper()
	var data metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &data))
	out := map[string]int64{}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
				outcome, _ := p.Attributes.Value("outcome")
				out[outcome.AsString()] += p.Value
			}
		}
	}
	return out
}

type lockedBuilder struct {
	mu sync.Mutex
	strings.Builder
}

func (b *lockedBuilder) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Builder.Write(p)
}
