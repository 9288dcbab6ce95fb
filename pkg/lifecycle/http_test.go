package lifecycle_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/lifecycle"
)

func serve(t *testing.T, handler http.HandlerFunc) *lifecycle.HTTPServer {
	t.Helper()
	s := lifecycle.NewHTTPServer(&http.Server{Addr: "127.0.0.1:0", Handler: handler})
	require.NoError(t, s.Start(t.Context()))
	return s
}

// get sends a request without waiting; the status or the error arrives later.
func get(t *testing.T, url string) (status <-chan int, failed <-chan error) {
	t.Helper()
	ok, ko := make(chan int, 1), make(chan error, 1)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	go func() {
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		res, err := client.Do(req)
		if err == nil {
			_, err = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
		if err != nil {
			ko <- err
			return
		}
		ok <- res.StatusCode
	}()
	return ok, ko
}

func TestHTTPServer(t *testing.T) {
	t.Parallel()

	t.Run("a port that is taken fails the start", func(t *testing.T) {
		t.Parallel()
		first := serve(t, http.NotFound)
		second := lifecycle.NewHTTPServer(&http.Server{Addr: first.Addr(), Handler: http.NotFoundHandler()})
		require.ErrorContains(t, second.Start(t.Context()), "listen on "+first.Addr())
		require.NoError(t, first.Stop(t.Context()))
	})

	t.Run("a request that runs may finish", func(t *testing.T) {
		t.Parallel()
		entered := make(chan struct{})
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			close(entered)
			<-lifecycle.Stopping(r.Context())
			w.WriteHeader(http.StatusTeapot)
		})
		status, _ := get(t, s.URL())
		<-entered
		require.NoError(t, s.Stop(t.Context()))
		require.Equal(t, http.StatusTeapot, <-status)
	})

	t.Run("a request that does not finish is canceled", func(t *testing.T) {
		t.Parallel()
		entered, canceled := make(chan struct{}), make(chan struct{})
		s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
			close(entered)
			<-r.Context().Done()
			close(canceled)
		})
		status, failed := get(t, s.URL())
		<-entered
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		require.ErrorContains(t, s.Stop(ctx), "requests were cut off")
		<-canceled
		select {
		case err := <-failed:
			require.Error(t, err)
		case code := <-status:
			require.Equal(t, http.StatusOK, code) // the handler returned before the connection was closed
		}
	})

	t.Run("a connection that was taken over is canceled and waited for", func(t *testing.T) {
		t.Parallel()
		left := false
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				panic(err)
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
			<-r.Context().Done()
			left = true
		})
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.Addr())
		require.NoError(t, err)
		defer conn.Close()
		_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n")
		require.NoError(t, err)
		line, err := bufio.NewReader(conn).ReadString('\n')
		require.NoError(t, err)
		require.Contains(t, line, "101")
		require.NoError(t, s.Stop(t.Context()))
		require.True(t, left)
	})

	t.Run("requests inherit the values of the start", func(t *testing.T) {
		t.Parallel()
		type key struct{}
		s := lifecycle.NewHTTPServer(&http.Server{Addr: "127.0.0.1:0", Handler: http.HandlerFunc(
			func(w http.ResponseWriter, r *http.Request) {
				if r.Context().Value(key{}) == "value" {
					w.WriteHeader(http.StatusTeapot)
				}
			})})
		require.Empty(t, s.Addr())
		require.Empty(t, s.URL())
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
		require.NoError(t, s.Start(ctx))
		cancel() // bounds the start only
		status, _ := get(t, s.URL())
		require.Equal(t, http.StatusTeapot, <-status)
		require.NoError(t, s.Stop(t.Context()))
	})

	t.Run("URL of every address is loopback", func(t *testing.T) {
		t.Parallel()
		s := lifecycle.NewHTTPServer(&http.Server{Addr: ":0", Handler: http.NotFoundHandler()})
		require.NoError(t, s.Start(t.Context()))
		require.True(t, strings.HasPrefix(s.URL(), "http://127.0.0.1:"), s.URL())
		require.NoError(t, s.Stop(t.Context()))
	})

	t.Run("outside a request there is no stopping", func(t *testing.T) {
		t.Parallel()
		require.Nil(t, lifecycle.Stopping(t.Context()))
	})
}
