package test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/op"
)

func TestUnknownRoutesAndMethods(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	good := m.issuer.SignAdmin(ada)
	for path, code := range map[string]string{
		"/nowhere": "route_not_found", "/api/v2/users": "route_not_found", "/api/v1/users/": "route_not_found", "/api/v1/USERS": "route_not_found",
		"//api/v1/users": "route_not_found", "/api/v1//users": "route_not_found", "/api/v1/users/../roles": "route_not_found",
		"/api/v1/./users": "route_not_found", "/api/v1/users/%2e%2e/roles": "route_not_found", "/api/v1/users/..%2froles": "route_not_found",
		"/api/v1/roles/..": "route_not_found", "/api/v1/roles/%2e": "route_not_found", "/api/v1/roles/a%2F%2Fb": "route_not_found",
		"/api/v1/users/" + ada + "/": "route_not_found", "/rpc.auth.list-watermarks": "route_not_found", "//docs": "route_not_found",
		"/api/v1/roles/%00": "malformed_url", "/api/v1/roles/%ff": "malformed_url", "/api/v1/users?q=%zz": "malformed_url",
		"/api/v1/users?q=%ff":                  "malformed_url",
		"/" + strings.Repeat("a", op.MaxURL-1): "route_not_found", "/" + strings.Repeat("a", op.MaxURL): "url_too_long",
	} {
		got := m.do(t, request{path: path, token: good})
		status := map[string]int{"route_not_found": http.StatusNotFound, "malformed_url": http.StatusBadRequest, "url_too_long": http.StatusBadRequest}[code]
		require.Equal(t, status, got.Status, "%s: %s", path, got.Body)
		require.Equal(t, code, got.Problem.Code, path)
	}
	got := m.do(t, request{method: "POST", path: "/api/v1/users/me", token: good})
	got.refused(t, http.StatusMethodNotAllowed, "method_not_allowed")
	require.Equal(t, "GET, HEAD, PATCH, OPTIONS", strings.ReplaceAll(got.Header.Get("Allow"), "PUT, ", ""))
	m.do(t, request{method: "BREW", path: "/api/v1/users", token: good}).refused(t, http.StatusMethodNotAllowed, "method_not_allowed")
	m.do(t, request{method: "BREW", path: "/nowhere"}).refused(t, http.StatusNotFound, "route_not_found")
	m.silent(t)
}

func TestOptionsAndHead(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	got := m.do(t, request{method: "OPTIONS", path: "/api/v1/auth/login"})
	require.Equal(t, http.StatusNoContent, got.Status)
	require.Equal(t, "POST, OPTIONS", got.Header.Get("Allow"))
	m.silent(t)

	good := m.issuer.SignUser(ada)
	get := m.do(t, request{path: "/api/v1/users/me", token: good})
	head := m.do(t, request{method: "HEAD", path: "/api/v1/users/me", token: good})
	require.Equal(t, get.Status, head.Status)
	require.Equal(t, get.Header.Get("Content-Length"), head.Header.Get("Content-Length"))
	require.Empty(t, head.Body)
	require.Equal(t, "GET", m.users.requests()[1].Method)
	require.Equal(t, http.StatusUnauthorized, m.do(t, request{method: "HEAD", path: "/api/v1/users/me"}).Status)
	require.Equal(t, http.StatusOK, m.do(t, request{method: "HEAD", path: "/docs"}).Status)
	stream := m.do(t, request{method: "HEAD", path: "/api/v1/notifications/stream", token: good})
	require.Equal(t, http.StatusMethodNotAllowed, stream.Status, "a stream without a body would be open for hours")
	m.silent(t)
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	m := start(t, config.Source{"MAX_BODY_BYTES": "1000"})
	good := m.issuer.SignAdmin(ada)
	got := m.do(t, request{method: "POST", path: "/api/v1/users", token: good, body: strings.Repeat("x", 1000)})
	require.Equal(t, http.StatusOK, got.Status)
	require.Len(t, m.users.requests()[0].Body, 1000)
	got = m.do(t, request{method: "POST", path: "/api/v1/users", token: good, body: strings.Repeat("x", 1001)})
	got.refused(t, http.StatusRequestEntityTooLarge, "body_too_large")

	l := dial(t, m.URL)
	l.send("POST /api/v1/users HTTP/1.1", "Host: x", "Authorization: Bearer "+good, "Transfer-Encoding: chunked", "",
		"3e9", strings.Repeat("x", 1001), "0", "", "")
	l.answer("POST").refused(t, http.StatusRequestEntityTooLarge, "body_too_large")
	_, err := l.in.ReadByte()
	require.Error(t, err, "the connection is given up")
	m.silent(t)

	body := strings.Repeat("x", 100<<10) // notifications:send takes 128 KiB, whatever the default is
	got = m.do(t, request{method: "POST", path: "/api/v1/notifications", token: good, body: body})
	require.Equal(t, http.StatusOK, got.Status)
	require.Equal(t, body, m.notifications.requests()[0].Body)
}

func TestChunkedBodyArrivesWithItsLength(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	l := dial(t, m.URL)
	l.send("POST /api/v1/auth/login HTTP/1.1", "Host: x", "Transfer-Encoding: chunked", "Trailer: X-Atrium-User", "",
		"5", "hello", "6", " world", "0", "X-Atrium-User: ada", "", "")
	require.Equal(t, http.StatusOK, l.answer("POST").Status)
	got := m.auth.requests()[0]
	require.Equal(t, "hello world", got.Body)
	require.EqualValues(t, 11, got.Length)
	require.Empty(t, got.TransferEncoding)

	l.send("POST /api/v1/auth/login HTTP/1.1", "Host: x", "Transfer-Encoding: chunked", "", "0", "", "")
	require.Equal(t, http.StatusOK, l.answer("POST").Status)
	require.EqualValues(t, 0, m.auth.requests()[0].Length)
}

// Two answers to where a body ends are the stuff that smuggled requests are made of. Whatever net/http takes them for, a service gets
// one request, framed anew.
func TestNoRequestIsSmuggled(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	for name, head := range map[string][]string{
		"length and chunks":   {"Content-Length: 6", "Transfer-Encoding: chunked"},
		"two lengths":         {"Content-Length: 5", "Content-Length: 60"},
		"unknown coding":      {"Transfer-Encoding: xchunked"},
		"coding twice":        {"Transfer-Encoding: chunked", "Transfer-Encoding: identity"},
		"length with a sign":  {"Content-Length: +5"},
		"space before colon":  {"Content-Length : 60"},
		"line folding":        {"X-A: b", " Content-Length: 60"},
		"control in the name": {"X-\x00A: b"},
	} {
		l := dial(t, m.URL)
		l.send(append(append([]string{"POST /api/v1/auth/login HTTP/1.1", "Host: x"}, head...),
			"", "0", "", "GET /api/v1/users/me HTTP/1.1", "Host: x", "X-Smuggled: yes", "", "")...)
		l.answer("POST")
		for _, r := range append(m.auth.requests(), m.users.requests()...) {
			require.Equal(t, "/api/v1/auth/login", r.URI, name)
			require.NotContains(t, r.Body, "Smuggled", name)
		}
	}
}

func TestBodyThatStopsHalfWay(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	l := dial(t, m.URL)
	l.send("POST /api/v1/auth/login HTTP/1.1", "Host: x", "Content-Length: 10", "", "hello")
	require.NoError(t, l.conn.(interface{ CloseWrite() error }).CloseWrite())
	l.answer("POST").refused(t, http.StatusBadRequest, "body_incomplete")
	m.silent(t)
}

func TestExpectContinue(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	l := dial(t, m.URL)
	l.send("POST /api/v1/users HTTP/1.1", "Host: x", "Content-Length: 5", "Expect: 100-continue", "", "")
	l.answer("POST").refused(t, http.StatusUnauthorized, "token_missing") // and was not asked for the body

	l = dial(t, m.URL)
	l.send("POST /api/v1/auth/login HTTP/1.1", "Host: x", "Content-Length: 5", "Expect: 100-continue", "", "")
	proceed, err := l.in.ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, proceed, "100 Continue")
	_, err = l.in.ReadString('\n')
	require.NoError(t, err)
	l.send("hello")
	require.Equal(t, http.StatusOK, l.answer("POST").Status)
	got := m.auth.requests()[0]
	require.Equal(t, "hello", got.Body)
	require.Empty(t, got.Header.Get("Expect"))
}

func TestOversizedHeader(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	got := m.do(t, request{path: "/docs", header: http.Header{"X-Big": {string(bytes.Repeat([]byte("x"), 100<<10))}}})
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, got.Status)
	m.silent(t)
}
