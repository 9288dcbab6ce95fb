package check_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/check"
)

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func readyz(t *testing.T, status int, body string) string {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			status = http.StatusNotFound
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
}

// TestWhatIsNotReady names each thing that a process lacks.
func TestWhatIsNotReady(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		want   []string
	}{
		"a check": {
			503, `{"status":"fail","checks":{"postgres":{"status":"fail","error":"unavailable"},"nats":{"status":"ok"}}}`,
			[]string{"auth at 127.0.0.1: postgres is not available"},
		},
		"two checks": {
			503, `{"status":"fail","checks":{"postgres":{"status":"fail","error":"timeout"},"nats":{"status":"fail"}}}`,
			[]string{"auth at 127.0.0.1: nats is not available", "auth at 127.0.0.1: postgres is not available (timeout)"},
		},
		"a shutdown": {
			503, `{"status":"fail","checks":{"shutdown":{"status":"fail","error":"shutting down"}}}`,
			[]string{"auth at 127.0.0.1: it is shutting down"},
		},
		"something else that listens there": {404, `not here`, []string{"auth at 127.0.0.1: /readyz answers 404"}},
		"no report":                         {503, `{"status":"fail","checks":{}}`, []string{"auth at 127.0.0.1: /readyz answers 503"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var said []string
			findings := check.Run(t.Context(), check.Config{
				Services: []check.Service{{Name: "auth", URL: readyz(t, c.status, c.body)}},
				Timeout:  1500 * time.Millisecond, Say: func(line string) { said = append(said, line) },
			})
			require.False(t, check.Healthy(findings))
			var found, waited []string
			for _, f := range findings {
				require.Equal(t, "auth", f.About)
				found = append(found, f.Found)
				waited = append(waited, "waiting: "+f.Found)
			}
			require.Equal(t, c.want, found)
			require.Equal(t, waited, said, "each is told once, not at every try")
		})
	}
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	findings := check.Run(t.Context(), check.Config{
		Services: []check.Service{{Name: "users", URL: "http://users-admin.invalid:9090"}, {Name: "auth", URL: gone.URL}},
		Timeout:  time.Second, Say: func(string) {},
	})
	require.Len(t, findings, 2)
	require.Equal(t, "users: no address of users-admin.invalid: is there a pod?", findings[0].Found)
	require.Contains(t, findings[1].Found, "auth at 127.0.0.1: no answer: ")
	require.Contains(t, findings[1].Found, "connection refused")
}

// TestItWaits until a service is ready, and then finds that the gateway is not what it should be.
func TestItWaits(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	auth := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	var mu sync.Mutex
	var tries []string
	gateway := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		tries = append(tries, r.URL.Path)
		if len(tries) == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"code":"no_such_path","detail":"There is nothing here."}`))
	})
	findings := check.Run(t.Context(), check.Config{
		Gateway: gateway, Services: []check.Service{{Name: "auth", URL: auth}}, Timeout: 20 * time.Second, Say: func(string) {},
	})
	require.Equal(t, []check.Finding{
		{About: "auth", OK: true, Found: "auth: ready (1 of 1)"},
		{About: "walk", Found: "sign up: 404 no_such_path: There is nothing here."},
	}, findings)
	require.Equal(t, []string{"/api/v1/auth/register", "/api/v1/auth/register"}, tries, "an answer that says when to try again is tried again")
}

// TestAClosedMesh lets nobody sign up, which is no fault.
func TestAClosedMesh(t *testing.T) {
	t.Parallel()
	gateway := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"code":"registration_disabled"}`))
	})
	findings := check.Run(t.Context(), check.Config{Gateway: gateway, Timeout: 5 * time.Second, Say: func(string) {}})
	require.Len(t, findings, 1)
	require.True(t, check.Healthy(findings))
}
