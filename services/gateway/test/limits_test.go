package test

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/ratelimit/redistest"
	"github.com/atrium-mesh/atrium/pkg/token/tokentest"
)

// from is a request as it comes through the trusted proxy from a client.
func from(client string, q request) request {
	q.header = http.Header{"X-Forwarded-For": {client}}
	return q
}

var (
	login    = request{method: "POST", path: "/api/v1/auth/login", body: "{}"}
	register = request{method: "POST", path: "/api/v1/auth/register", body: "{}"}
	refresh  = request{method: "POST", path: "/api/v1/auth/refresh", body: "{}"}
	me       = request{path: "/api/v1/users/me"}
)

func limited(t *testing.T, env config.Source) *mesh {
	t.Helper()
	return start(t, config.Source{
		"TRUSTED_PROXIES": "127.0.0.1", "RATE_LIMIT_SIGN_IN": "5/1m", "RATE_LIMIT_SIGN_UP": "10/1m", "RATE_LIMIT_API": "20/1m",
	}.With(env))
}

// allows asserts that exactly n requests pass and the next one does not.
func (m *mesh) allows(t *testing.T, n int, q request) answer {
	t.Helper()
	for i := range n {
		got := m.do(t, q)
		require.NotEqual(t, http.StatusTooManyRequests, got.Status, "request %d of %d", i+1, n)
	}
	got := m.do(t, q)
	got.refused(t, http.StatusTooManyRequests, "rate_limited")
	seconds, err := strconv.Atoi(got.Header.Get("Retry-After"))
	require.NoError(t, err)
	require.Positive(t, seconds)
	return got
}

func TestLimitsBySignInSignUpAndUser(t *testing.T) {
	t.Parallel()
	m := limited(t, nil)
	first := m.do(t, from("192.0.2.1", login))
	require.Equal(t, `"sign-in";q=5;w=60`, first.Header.Get("RateLimit-Policy"))
	require.Equal(t, `"sign-in";r=4;t=60`, first.Header.Get("RateLimit"))
	last := m.allows(t, 4, from("192.0.2.1", login))
	require.Contains(t, last.Header.Get("RateLimit"), `"sign-in";r=0;`)
	require.Len(t, m.auth.requests(), 5, "what is refused does not reach auth")

	q := from("192.0.2.1", login)
	q.token = m.issuer.SignUser(ada)
	m.do(t, q).refused(t, http.StatusTooManyRequests, "rate_limited") // signing in counts by address, whoever has signed in before
	require.Equal(t, http.StatusOK, m.do(t, from("192.0.2.2", login)).Status, "another address is another client")
	m.allows(t, 10, from("192.0.2.1", register))
	m.allows(t, 20, from("192.0.2.1", refresh))

	q = from("192.0.2.1", me)
	q.token = m.issuer.SignUser(ada)
	got := m.allows(t, 20, q)
	require.Equal(t, `"api";q=20;w=60`, got.Header.Get("RateLimit-Policy"))
	q.header.Set("X-Forwarded-For", "192.0.2.99")
	m.do(t, q).refused(t, http.StatusTooManyRequests, "rate_limited") // a user is one, wherever he calls from
	q.token = m.issuer.SignUser(bob)
	require.Equal(t, http.StatusOK, m.do(t, q).Status)
	require.Equal(t, http.StatusOK, m.do(t, from("192.0.2.1", request{path: "/.well-known/jwks.json"})).Status, "keys are not counted")
	require.Empty(t, m.do(t, from("192.0.2.1", request{path: "/.well-known/jwks.json"})).Header.Get("RateLimit"))
}

func TestLimitOfStrangersWithTokens(t *testing.T) {
	t.Parallel()
	m := limited(t, nil)
	q := from("192.0.2.3", me)
	q.token = m.issuer.Forged(tokentest.Claims{})
	m.allows(t, 20, q) // who tries tokens is limited like a stranger
	m.silent(t)
	q = from("192.0.2.4", refresh)
	q.token = "nonsense"
	m.allows(t, 20, q) // a token that is not good does not get one past the limit of a public operation
	q = from("192.0.2.5", me)
	m.allows(t, 20, q) // nor does none
}

func TestLimitOfAnIPv6Network(t *testing.T) {
	t.Parallel()
	m := limited(t, nil)
	for i := range 5 {
		require.Equal(t, http.StatusOK, m.do(t, from("2001:db8:0:1::"+strconv.Itoa(i+1), login)).Status)
	}
	require.Equal(t, http.StatusTooManyRequests, m.do(t, from("2001:db8:0:1:ffff::9", login)).Status, "one client has all of a /64")
	require.Equal(t, http.StatusOK, m.do(t, from("2001:db8:0:2::1", login)).Status)
}

func TestLimitsOff(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	for range 150 {
		got := m.do(t, login)
		require.Equal(t, http.StatusOK, got.Status)
		require.Empty(t, got.Header.Get("RateLimit-Policy"))
	}
}

func TestLimitSharedThroughRedis(t *testing.T) {
	t.Parallel()
	redis := redistest.Run(t)
	m := limited(t, config.Source{"REDIS_URL": redis.URL})
	second := m.replica(t)
	for i := range 5 {
		q := from("192.0.2.6", login)
		q.at = []string{m.URL, second.URL}[i%2]
		require.Equal(t, http.StatusOK, m.do(t, q).Status)
	}
	for _, at := range []string{m.URL, second.URL} {
		q := from("192.0.2.6", login)
		q.at = at
		m.do(t, q).refused(t, http.StatusTooManyRequests, "rate_limited")
	}
	redis.Stop()
	got := m.do(t, from("192.0.2.7", login))
	require.Equal(t, http.StatusOK, got.Status, "without Redis people still sign in")
	m.allows(t, 4, from("192.0.2.7", login))
	redis.Start()
}
