package test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/tlsfile/tlsfiletest"
)

// secured is the stub once more, over TLS and at most the protocol that the services speak.
func secured(t *testing.T, s *stub, cert, key string) *httptest.Server {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(cert, key)
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	server.EnableHTTP2 = true                                                        // it offers it; the gateway does not take it
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug) // of handshakes that are meant to fail
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// The gateway asks the services over TLS and believes those alone for whom TLS_CA_FILE vouches. WebSockets go the same way.
func TestServicesOverTLS(t *testing.T) {
	t.Parallel()
	cert, key := tlsfiletest.Write(t, t.TempDir())
	other, otherKey := tlsfiletest.Write(t, t.TempDir())
	m := start(t, nil)
	good := m.issuer.SignUser(ada)
	users, notifications, stranger := secured(t, m.users, cert, key), secured(t, m.notifications, cert, key), secured(t, m.auth, other, otherKey)
	protocols := make(chan string, 1)
	m.users.answer(func(w http.ResponseWriter, r *http.Request) {
		protocols <- r.Proto
		m.users.operations.ServeHTTP(w, r)
	})
	m.notifications.answer(streaming(nil))
	m.env["USERS_URL"], m.env["NOTIFICATIONS_URL"], m.env["AUTH_URL"], m.env["TLS_CA_FILE"] = users.URL, notifications.URL, stranger.URL, cert
	gateway := m.replica(t)

	got := m.do(t, request{at: gateway.URL, method: "PATCH", path: "/api/v1/users/me", token: good, body: `{"full_name":"Ada"}`})
	require.Equal(t, http.StatusOK, got.Status, got.Body)
	require.Equal(t, "HTTP/1.1", <-protocols)

	conn := m.open(t, gateway.URL, good)
	require.NoError(t, conn.Write(t.Context(), websocket.MessageText, []byte("echo")))
	_, message, err := conn.Read(t.Context())
	require.NoError(t, err)
	require.Equal(t, "echo", string(message))
	m.events(t, gateway.URL, good)

	got = m.do(t, request{at: gateway.URL, path: "/.well-known/jwks.json"})
	got.refused(t, http.StatusServiceUnavailable, "upstream_unavailable")
	require.Empty(t, m.auth.requests(), "a stranger is told nothing")
	for _, leak := range []string{"certificate", "x509", "127.0.0.1"} {
		require.NotContains(t, got.Body, leak)
	}
}

// A service that is replaced may break a TLS handshake: nothing was sent, and what must not be done twice is sent again.
func TestBrokenHandshake(t *testing.T) {
	t.Parallel()
	cert, key := tlsfiletest.Write(t, t.TempDir())
	m := start(t, nil)
	users := secured(t, m.users, cert, key)
	front, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	t.Cleanup(func() { _ = front.Close(); wg.Wait() })
	wg.Go(func() { // it hangs up twice after the client's first words, and then passes on
		for n := 0; ; n++ {
			conn, err := front.Accept()
			if err != nil {
				return
			}
			if n < 2 {
				_ = conn.SetReadDeadline(time.Now().Add(within))
				_, _ = conn.Read(make([]byte, 1))
				_ = conn.Close()
				continue
			}
			wg.Go(func() { pass(t, conn, strings.TrimPrefix(users.URL, "https://")) })
		}
	})
	m.env["USERS_URL"], m.env["TLS_CA_FILE"] = "https://"+front.Addr().String(), cert
	gateway := m.replica(t)
	got := m.do(t, request{at: gateway.URL, method: "PATCH", path: "/api/v1/users/me", token: m.issuer.SignUser(ada), body: `{"full_name":"Ada"}`})
	require.Equal(t, http.StatusOK, got.Status, got.Body)
	require.Len(t, m.users.requests(), 1)
}

// pass is a connection to addr for whoever is at the other end of conn, until either closes.
func pass(t *testing.T, conn net.Conn, addr string) {
	defer conn.Close()
	to, err := (&net.Dialer{}).DialContext(context.WithoutCancel(t.Context()), "tcp", addr)
	if err != nil {
		return
	}
	go func() {
		defer to.Close()
		_, _ = io.Copy(to, conn)
	}()
	_, _ = io.Copy(conn, to)
}

// trusting is the configuration of a client that believes the certificate in the file.
func trusting(t *testing.T, cert string) *tls.Config {
	t.Helper()
	text, err := os.ReadFile(cert)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(text))
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

// The front door itself speaks TLS, with HTTP/2 for those who can.
func TestGatewayServesTLS(t *testing.T) {
	t.Parallel()
	cert, key := tlsfiletest.Write(t, t.TempDir())
	m := start(t, config.Source{"TLS_CERT_FILE": cert, "TLS_KEY_FILE": key})
	for want, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		transport := &http.Transport{ForceAttemptHTTP2: http2, TLSClientConfig: trusting(t, cert)}
		t.Cleanup(transport.CloseIdleConnections)
		m.client = &http.Client{Transport: transport, Timeout: within}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.URL+"/healthz", http.NoBody)
		require.NoError(t, err)
		resp, err := m.client.Do(r)
		require.NoError(t, err)
		require.Equal(t, want, resp.Proto)
		require.Equal(t, http.StatusOK, read(t, resp).Status)
	}

	// A client that forgot the TLS is told so. A redirect would hide it, with its token sent in the clear each time.
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http"+strings.TrimPrefix(m.URL, "https")+"/healthz", http.NoBody)
	require.NoError(t, err)
	resp, err := m.client.Do(r)
	require.NoError(t, err)
	require.Equal(t, http.StatusBadRequest, read(t, resp).Status)
	require.Empty(t, resp.Header.Get("Location"))
}
