package test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
)

func TestServiceAway(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	good := m.issuer.SignUser(ada)
	m.users.server.Close()
	for _, q := range []request{{path: "/api/v1/users/me", token: good}, {method: "PATCH", path: "/api/v1/users/me", token: good, body: "{}"}} {
		began := time.Now()
		got := m.do(t, q)
		got.refused(t, http.StatusServiceUnavailable, "upstream_unavailable")
		require.Equal(t, "2", got.Header.Get("Retry-After"))
		require.Less(t, time.Since(began), 2*time.Second)
		for _, leak := range []string{"dial", "refused", "127.0.0.1", "upstream:"} {
			require.NotContains(t, got.Body, leak)
		}
	}
	require.Equal(t, http.StatusOK, m.do(t, request{path: "/.well-known/jwks.json"}).Status, "the others are not affected")
	require.Equal(t, http.StatusOK, m.do(t, request{path: "/healthz"}).Status)
}

// A service that is replaced refuses connections for a moment: nobody notices, whatever the method, since nothing was sent.
func TestServiceThatComesBack(t *testing.T) {
	t.Parallel()
	held, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := held.Addr().String()
	require.NoError(t, held.Close())
	m := start(t, config.Source{"USERS_URL": "http://" + addr})
	back := &http.Server{Handler: m.users.server.Config.Handler, ReadHeaderTimeout: time.Second}
	t.Cleanup(func() { _ = back.Close() })
	time.AfterFunc(60*time.Millisecond, func() {
		if l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", addr); err == nil {
			go func() { _ = back.Serve(l) }()
		}
	})
	got := m.do(t, request{method: "PATCH", path: "/api/v1/users/me", token: m.issuer.SignUser(ada), body: `{"full_name":"Ada"}`})
	require.Equal(t, http.StatusOK, got.Status, got.Body)
	reached := m.users.requests()
	require.Len(t, reached, 1)
	require.JSONEq(t, `{"full_name":"Ada"}`, reached[0].Body, "with all of its body")
}

// hangUp closes the connection without an answer.
func hangUp(_ http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }

func TestRetriesOfReadsOnly(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	good := m.issuer.SignAdmin(ada)
	var left atomic.Int32
	flaky := func(fault http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if left.Add(-1) >= 0 {
				fault(w, r)
				return
			}
			m.users.operations.ServeHTTP(w, r)
		}
	}
	for _, c := range []struct {
		name, method, path string
		fault              http.HandlerFunc
		faults             int32
		status, attempts   int
	}{
		{"a read whose connection breaks", "GET", "/api/v1/users/" + ada, hangUp, 1, http.StatusOK, 2},
		{"a read of a replica that stops", "GET", "/api/v1/users/" + ada, with(503, "Retry-After", "1"), 1, http.StatusOK, 2},
		{"a read of a service that is busy", "GET", "/api/v1/users/" + ada, with(503, "Retry-After", "1"), 9, http.StatusServiceUnavailable, 2},
		{"a read that fails", "GET", "/api/v1/users/" + ada, with(500), 1, http.StatusInternalServerError, 1},
		{"a change whose connection breaks", "PATCH", "/api/v1/users/" + ada, hangUp, 1, http.StatusServiceUnavailable, 1},
		{"a PUT whose connection breaks", "PUT", "/api/v1/users/" + ada, hangUp, 1, http.StatusServiceUnavailable, 1},
		{"a DELETE whose connection breaks", "DELETE", "/api/v1/users/" + ada, hangUp, 1, http.StatusServiceUnavailable, 1},
		{"a POST whose connection breaks", "POST", "/api/v1/users", hangUp, 1, http.StatusServiceUnavailable, 1},
		{"a POST to a busy service", "POST", "/api/v1/users", with(503, "Retry-After", "1"), 1, http.StatusServiceUnavailable, 1},
	} {
		m.client.CloseIdleConnections()
		left.Store(c.faults)
		m.users.answer(flaky(c.fault))
		body := map[bool]string{true: "", false: "{}"}[c.method == "GET" || c.method == "DELETE"]
		got := m.do(t, request{method: c.method, path: c.path, token: good, body: body})
		require.Equal(t, c.status, got.Status, "%s: %s", c.name, got.Body)
		require.Len(t, m.users.requests(), c.attempts, c.name)
		if c.method != "GET" && !strings.Contains(c.name, "busy") {
			require.Equal(t, "upstream_broken", got.Problem.Code, c.name)
		}
	}
}

// A read that breaks whatever answers it is not sent to every replica, though net/http sends it once more on a connection it kept.
func TestReadThatBreaksItsService(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	m.users.answer(hangUp)
	m.do(t, request{path: "/api/v1/users/me", token: m.issuer.SignUser(ada)}).refused(t, http.StatusServiceUnavailable, "upstream_unavailable")
	require.Len(t, m.users.requests(), 2)
}

func TestSlowService(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	released := make(chan struct{})
	t.Cleanup(func() { close(released) })
	left := make(chan struct{}, 10)
	m.users.answer(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
			left <- struct{}{}
		case <-released:
		}
	})
	began := time.Now()
	got := m.do(t, request{path: "/api/v1/users/me", token: m.issuer.SignUser(ada)})
	got.refused(t, http.StatusGatewayTimeout, "upstream_timeout")
	require.InDelta(t, 5.5, time.Since(began).Seconds(), 1, "the operation's timeout and a little")
	select {
	case <-left:
	case <-time.After(within):
		require.Fail(t, "the service was not told that nobody waits any more")
	}
	require.Len(t, m.users.requests(), 1, "and is not asked again")
}

func TestClientWhoLeaves(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	arrived, left := make(chan struct{}, 1), make(chan struct{}, 1)
	m.users.answer(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
		left <- struct{}{}
	})
	l := dial(t, m.URL)
	l.send("GET /api/v1/users/me HTTP/1.1", "Host: x", "Authorization: Bearer "+m.issuer.SignUser(ada), "", "")
	<-arrived
	require.NoError(t, l.conn.Close())
	select {
	case <-left:
	case <-time.After(within):
		require.Fail(t, "the service goes on for nobody")
	}
}

func TestShutdownLetsRequestsFinish(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	arrived, proceed := make(chan struct{}), make(chan struct{})
	m.users.answer(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-proceed
		w.WriteHeader(http.StatusNoContent)
	})
	got := make(chan int, 1)
	go func() {
		got <- m.do(t, request{method: "DELETE", path: "/api/v1/users/" + ada, token: m.issuer.SignUser(ada)}).Status
	}()
	<-arrived
	stopped := make(chan struct{})
	go func() { defer close(stopped); m.Stop(t) }()
	require.Eventually(t, func() bool { // it takes no new connections any more
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(m.URL, "http://"))
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, within, tick)
	close(proceed)
	require.Equal(t, http.StatusNoContent, <-got)
	<-stopped
}

func TestAnswerThatBreaksOff(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	m.users.answer(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	l := dial(t, m.URL)
	l.send("GET /api/v1/users/me HTTP/1.1", "Host: x", "Authorization: Bearer "+m.issuer.SignUser(ada), "", "")
	resp, err := http.ReadResponse(l.in, nil)
	if err == nil { // the beginning may have come through
		defer resp.Body.Close()
		_, err = io.ReadAll(resp.Body)
	}
	require.ErrorIs(t, err, io.ErrUnexpectedEOF, "nobody must take half an answer for a whole one")
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	good := m.issuer.SignUser(ada)
	broken, works := request{path: "/api/v1/users/" + ada, token: good}, request{path: "/api/v1/users/me", token: good}
	m.users.answer(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/me") {
			m.users.operations.ServeHTTP(w, r)
			return
		}
		w.WriteHeader(http.StatusInternalServerError)
	})
	for range 10 {
		require.Equal(t, http.StatusInternalServerError, m.do(t, broken).Status)
	}
	m.users.requests()
	m.do(t, broken).refused(t, http.StatusServiceUnavailable, "upstream_unavailable")
	m.silent(t)
	require.Equal(t, http.StatusOK, m.do(t, works).Status, "an operation that is broken does not take its neighbours with it")

	m.users.answer(nil)
	require.Eventually(t, func() bool { return m.do(t, broken).Status == http.StatusOK }, within, 50*time.Millisecond, "it recovers by itself")

	m.users.answer(with(http.StatusServiceUnavailable, "Retry-After", "1"))
	for range 20 {
		require.Equal(t, http.StatusServiceUnavailable, m.do(t, broken).Status)
	}
	m.users.answer(nil)
	require.Equal(t, http.StatusOK, m.do(t, broken).Status, "a service that starts or is busy says so itself: the breaker stays closed")
}

func TestProblemsOfServicesPassThrough(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	m.users.answer(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusConflict)
		_, _ = io.WriteString(w, `{"status":409,"code":"email_taken","request_id":"`+r.Header.Get("X-Request-Id")+`"}`)
	})
	resp := m.do(t, request{method: "POST", path: "/api/v1/users", token: m.issuer.SignAdmin(ada), body: "{}"})
	require.Equal(t, http.StatusConflict, resp.Status)
	require.Equal(t, "email_taken", resp.Problem.Code)
	require.Equal(t, "7", resp.Header.Get("Retry-After"))
}
