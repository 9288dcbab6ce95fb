package test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/service/servicetest"
	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/pkg/token/tokentest"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
)

const streamPath = "/api/v1/notifications/stream"

// streaming is a notifications service that greets, echoes, and never ends a stream by itself. Goodbye, when it is closed, makes it
// say why first.
func streaming(goodbye <-chan struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			serveEvents(w, r, goodbye)
			return
		}
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = conn.CloseNow() }()
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		go func() {
			select {
			case <-goodbye:
				_ = conn.Close(4401, "session_revoked")
			case <-ctx.Done():
			}
		}()
		_ = conn.Write(ctx, websocket.MessageText, []byte("hello"))
		for {
			kind, message, err := conn.Read(ctx)
			if err != nil {
				return
			}
			_ = conn.Write(ctx, kind, message)
		}
	}
}

func serveEvents(w http.ResponseWriter, r *http.Request, goodbye <-chan struct{}) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, "data: hello\n\n")
	_ = http.NewResponseController(w).Flush()
	select {
	case <-goodbye:
		_, _ = io.WriteString(w, "event: close\n\n")
	case <-r.Context().Done():
	}
}

// open connects a WebSocket and reads the greeting.
func (m *mesh) open(t *testing.T, at, bearer string) *websocket.Conn {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), at+streamPath, &websocket.DialOptions{
		HTTPClient: m.client, HTTPHeader: http.Header{"Authorization": {"Bearer " + bearer}},
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.CloseNow() })
	_, message, err := conn.Read(t.Context())
	require.NoError(t, err)
	require.Equal(t, "hello", string(message))
	return conn
}

// events opens a stream of server-sent events and reads the greeting.
func (m *mesh) events(t *testing.T, at, bearer string) *bufio.Reader {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at+streamPath, http.NoBody)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+bearer)
	r.Header.Set("Accept", "text/event-stream")
	resp, err := m.client.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = resp.Body.Close() })
	require.Equal(t, http.StatusOK, resp.StatusCode)
	in := bufio.NewReader(resp.Body)
	greeting, err := in.ReadString('\n')
	require.NoError(t, err, "events arrive at once")
	require.Equal(t, "data: hello\n", greeting)
	_, err = in.ReadString('\n')
	require.NoError(t, err)
	return in
}

// closed reads until the stream ends, and says how long that took.
func closed(t *testing.T, read func() error) time.Duration {
	t.Helper()
	began, ended := time.Now(), make(chan struct{})
	go func() {
		defer close(ended)
		for read() == nil {
		}
	}()
	select {
	case <-ended:
	case <-time.After(within):
		require.Fail(t, "the stream is still open")
	}
	return time.Since(began)
}

func TestWebSocketIsProxied(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	m.notifications.answer(streaming(nil))
	conn := m.open(t, m.URL, m.issuer.SignUser(ada))
	for _, message := range []string{"one", strings.Repeat("x", 20<<10)} {
		require.NoError(t, conn.Write(t.Context(), websocket.MessageText, []byte(message)))
		_, echo, err := conn.Read(t.Context())
		require.NoError(t, err)
		require.Equal(t, message, string(echo))
	}
	require.NoError(t, conn.Close(websocket.StatusNormalClosure, "bye"))
}

func TestWebSocketHandshakeIsGuarded(t *testing.T) {
	t.Parallel()
	m := start(t, config.Source{"CORS_ORIGINS": "https://app.example.com"})
	m.notifications.answer(streaming(nil))
	handshake := func(header http.Header) answer {
		for name, value := range map[string]string{
			"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
		} {
			header.Set(name, value)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.URL+streamPath, http.NoBody)
		require.NoError(t, err)
		r.Header = header
		resp, err := m.client.Do(r)
		require.NoError(t, err)
		if resp.StatusCode == http.StatusSwitchingProtocols {
			_ = resp.Body.Close()
			return answer{Status: resp.StatusCode}
		}
		return read(t, resp)
	}
	cookie := auth.CookieAccess + "=" + m.issuer.SignUser(ada)
	handshake(http.Header{}).refused(t, http.StatusUnauthorized, "token_missing")
	handshake(http.Header{"Cookie": {cookie}, "Origin": {"https://evil.example"}}).refused(t, http.StatusForbidden, "cross_origin_refused")
	handshake(http.Header{"Cookie": {cookie}, "Sec-Fetch-Site": {"cross-site"}}).refused(t, http.StatusForbidden, "cross_origin_refused")
	m.silent(t)
	for _, origin := range []string{"https://app.example.com", m.URL} {
		require.Equal(t, http.StatusSwitchingProtocols, handshake(http.Header{"Cookie": {cookie}, "Origin": {origin}}).Status, origin)
	}
}

// TestRevocationClosesStreams has a service that does nothing about it, and two replicas.
func TestRevocationClosesStreams(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	m.notifications.answer(streaming(nil))
	second := m.replica(t)
	bearer := m.issuer.Sign(tokentest.Claims{Subject: ada, SessionID: bob})
	other := m.open(t, m.URL, m.issuer.SignUser(ada)) // another session of the same person
	var streams []func() error
	for _, s := range []*servicetest.Service{m.Service, second} {
		conn, in := m.open(t, s.URL, bearer), m.events(t, s.URL, bearer)
		streams = append(streams,
			func() error { _, _, err := conn.Read(t.Context()); return err },
			func() error { _, err := in.ReadByte(); return err })
	}
	m.revocations.raise(t, token.ScopeSession, bob, true)
	began := time.Now()
	for i, read := range streams {
		closed(t, read)
		took := time.Since(began)
		t.Logf("replica %d, %s: closed after %v", i/2+1, []string{"WebSocket", "events"}[i%2], took.Round(time.Millisecond))
		require.Less(t, took, time.Second)
	}
	require.NoError(t, other.Write(t.Context(), websocket.MessageText, []byte("still here")))
	_, message, err := other.Read(t.Context())
	require.NoError(t, err)
	require.Equal(t, "still here", string(message))
}

func TestRevocationThatOnlyThePollBrings(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	m.notifications.answer(streaming(nil))
	conn := m.open(t, m.URL, m.issuer.SignUser(ada))
	m.revocations.raise(t, token.ScopeUser, ada, false)
	took := closed(t, func() error { _, _, err := conn.Read(t.Context()); return err })
	require.Less(t, took, 4*time.Second)
}

func TestServiceSaysGoodbyeFirst(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	goodbye := make(chan struct{})
	m.notifications.answer(streaming(goodbye))
	conn, in := m.open(t, m.URL, m.issuer.SignUser(ada)), m.events(t, m.URL, m.issuer.SignUser(ada))
	m.revocations.raise(t, token.ScopeUser, ada, true)
	close(goodbye)
	_, _, err := conn.Read(t.Context())
	var end websocket.CloseError
	require.True(t, errors.As(err, &end), "%v", err)
	require.EqualValues(t, 4401, end.Code)
	rest, err := io.ReadAll(in)
	require.NoError(t, err)
	require.Equal(t, "event: close\n\n", string(rest))
}

func TestExpiryClosesStreams(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	m.notifications.answer(streaming(nil))
	expires := time.Now().Add(2 * time.Second).Truncate(time.Second)
	conn := m.open(t, m.URL, m.issuer.Sign(tokentest.Claims{Subject: ada, ExpiresAt: expires}))
	closed(t, func() error { _, _, err := conn.Read(t.Context()); return err })
	require.WithinDuration(t, expires, time.Now(), 1500*time.Millisecond)
	require.True(t, time.Now().After(expires))
}

// TestClientWhoDoesNotRead has filled every buffer on the way: ending his stream must not wait for him.
func TestClientWhoDoesNotRead(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	over := make(chan struct{}, 1)
	m.notifications.answer(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for {
			if _, err := io.WriteString(w, "data: "+strings.Repeat("x", 8<<10)+"\n\n"); err != nil {
				over <- struct{}{}
				return
			}
		}
	})
	l := dial(t, m.URL)
	l.send("GET "+streamPath+" HTTP/1.1", "Host: x", "Authorization: Bearer "+m.issuer.SignUser(ada), "", "")
	require.Eventually(t, func() bool { return m.gauge(t, "atrium_gateway_streams") == 1 }, within, tick)
	m.revocations.raise(t, token.ScopeUser, ada, true)
	require.Eventually(t, func() bool { return m.gauge(t, "atrium_gateway_streams") == 0 }, within, tick)
	<-over
}

func TestShutdownDoesNotWaitForStreams(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	m.notifications.answer(streaming(nil))
	conn, in := m.open(t, m.URL, m.issuer.SignUser(ada)), m.events(t, m.URL, m.issuer.SignUser(ada))
	began := time.Now()
	m.Stop(t)
	require.Less(t, time.Since(began), 3*time.Second)
	closed(t, func() error { _, _, err := conn.Read(t.Context()); return err })
	closed(t, func() error { _, err := in.ReadByte(); return err })
}

func TestStreamThatDoesNotBegin(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	m.notifications.server.Close()
	m.do(t, request{path: streamPath, token: m.issuer.SignUser(ada)}).refused(t, http.StatusServiceUnavailable, "upstream_unavailable")
}
