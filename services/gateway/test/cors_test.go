package test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
)

func TestCORS(t *testing.T) {
	t.Parallel()
	const app, evil = "https://app.example.com", "https://app.example.com.evil.example"
	m := start(t, config.Source{"CORS_ORIGINS": app + ",http://localhost:3000", "RATE_LIMIT_SIGN_IN": "1/1m"})
	preflight := func(origin string) answer {
		return m.do(t, request{method: "OPTIONS", path: "/api/v1/users/" + ada, header: http.Header{
			"Origin": {origin}, "Access-Control-Request-Method": {"DELETE"}, "Access-Control-Request-Headers": {"authorization,if-match"},
		}})
	}
	got := preflight(app)
	require.Equal(t, http.StatusNoContent, got.Status)
	require.Equal(t, app, got.Header.Get("Access-Control-Allow-Origin"))
	require.Equal(t, "true", got.Header.Get("Access-Control-Allow-Credentials"))
	require.Equal(t, "DELETE", got.Header.Get("Access-Control-Allow-Methods"))
	require.Equal(t, "authorization,if-match", got.Header.Get("Access-Control-Allow-Headers"))
	require.Contains(t, got.Header.Get("Vary"), "Origin")
	for _, foreign := range []string{evil, "null", "https://APP.example.com.", "http://app.example.com"} {
		got = preflight(foreign)
		require.Empty(t, got.Header.Get("Access-Control-Allow-Origin"), foreign)
		require.Contains(t, got.Header.Get("Vary"), "Origin", "a cache must not give one origin's answer to another")
	}
	m.silent(t)

	from := func(origin string) http.Header { return http.Header{"Origin": {origin}} }
	got = m.do(t, request{path: "/api/v1/users/me", token: m.issuer.SignUser(ada), header: from(app)})
	require.Equal(t, app, got.Header.Get("Access-Control-Allow-Origin"))
	require.Contains(t, got.Header.Get("Access-Control-Expose-Headers"), "Etag")
	require.Contains(t, got.Header.Values("Vary"), "Origin")
	got = m.do(t, request{path: "/api/v1/users/me", token: m.issuer.SignUser(ada), header: from(evil)})
	require.Equal(t, http.StatusOK, got.Status, "CORS is the browser's business; the token was good")
	require.Empty(t, got.Header.Get("Access-Control-Allow-Origin"))

	// Pages of an allowed origin must be able to read errors, too.
	for i, q := range []request{
		{path: "/api/v1/users/me", header: from(app)},
		{path: "/nowhere", header: from(app)},
		{method: "BREW", path: "/api/v1/users"},
		{method: "POST", path: "/api/v1/auth/login", body: "{}", header: from(app)},
		{method: "POST", path: "/api/v1/auth/login", body: "{}", header: from(app)},
	} {
		q.header = from(app)
		got = m.do(t, q)
		if q.method != "BREW" { // which no preflight would have let through
			require.Equal(t, app, got.Header.Get("Access-Control-Allow-Origin"), "%d", i)
		}
	}
	require.Equal(t, http.StatusTooManyRequests, got.Status)
	require.True(t, strings.Contains(got.Header.Get("Access-Control-Expose-Headers"), "Retry-After"))

	// Its cookies count.
	cookie := http.Header{"Origin": {app}, "Sec-Fetch-Site": {"cross-site"}, "Cookie": {"__Host-atrium_access=" + m.issuer.SignUser(ada)}}
	require.Equal(t, http.StatusOK, m.do(t, request{method: "DELETE", path: "/api/v1/users/" + ada, header: cookie}).Status)
}
