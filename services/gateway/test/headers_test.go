package test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/op"
)

func TestForgedHeadersDoNotReachAService(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	forged := http.Header{}
	for _, name := range []string{
		"X-Atrium-Client-Ip", "X-Atrium-User", "Atrium-Budget-Ms", "Atrium-Error", "Atrium-Service", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
		"X-Forwarded-User", "X-Forwarded-Prefix", "Forwarded", "Via", "X-Real-Ip", "True-Client-Ip", "X-User-Id", "X-Remote-User",
		"X-Original-Url", "X-Rewrite-Url", "X-Http-Method-Override", "X_atrium_client_ip", "X-Auth-Request-User", "Baggage", "Origin", "Expect-Ct",
		"Upgrade", "Http2-Settings",
	} {
		forged.Set(name, "forged.example")
	}
	forged.Set("Connection", "X-Atrium-Client-Ip, Authorization, Atrium-Budget-Ms, Upgrade")
	forged.Set("User-Agent", "curl/8")
	forged.Set("If-None-Match", `"1"`)
	got := m.do(t, request{path: "/api/v1/users/" + ada, token: m.issuer.SignUser(ada), header: forged})
	require.Equal(t, http.StatusOK, got.Status)
	reached := m.users.requests()[0]
	for name, values := range reached.Header {
		if name == "Expect-Ct" { // nothing of ours: passed on
			continue
		}
		require.NotContains(t, values, "forged.example", name)
	}
	require.Equal(t, "127.0.0.1", reached.Header.Get(op.HeaderClientIP))
	require.NotEmpty(t, reached.Header.Get("Authorization"), "what the gateway says cannot be named away by Connection")
	require.NotEmpty(t, reached.Header.Get("Atrium-Budget-Ms"))
	hop, err := m.issuer.VerifierOf("users", nil).VerifyService(t.Context(), reached.Header.Get(op.HeaderService))
	require.NoError(t, err)
	require.Equal(t, "gateway", hop)
	_, err = m.issuer.VerifierOf("auth", nil).VerifyService(t.Context(), reached.Header.Get(op.HeaderService))
	require.Error(t, err, "what users was shown is of no use to users anywhere else")
	require.Equal(t, "curl/8", reached.Header.Get("User-Agent"))
	require.Equal(t, `"1"`, reached.Header.Get("If-None-Match"))
	require.Equal(t, m.users.url, "http://"+reached.Host, "and not the Host that the client sent")
}

func TestHostOfTheClientStaysHere(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	m.do(t, request{path: "/.well-known/jwks.json", header: http.Header{"Host": {"evil.example"}}})
	require.NotEqual(t, "evil.example", m.auth.requests()[0].Host)
}

func TestClientAddressBehindTrustedProxies(t *testing.T) {
	t.Parallel()
	m := start(t, config.Source{"TRUSTED_PROXIES": "127.0.0.0/8,10.0.0.0/8"})
	for forwarded, want := range map[string]string{
		"":                                    "127.0.0.1",
		"198.51.100.9, 203.0.113.7, 10.0.0.4": "203.0.113.7",
		"203.0.113.7, nonsense":               "127.0.0.1",
		"2001:db8::1":                         "2001:db8::1",
	} {
		m.do(t, request{path: "/.well-known/jwks.json", header: http.Header{"X-Forwarded-For": {forwarded}}})
		reached := m.auth.requests()[0]
		require.Equal(t, want, reached.Header.Get(op.HeaderClientIP), forwarded)
		require.Empty(t, reached.Header.Values("X-Forwarded-For"))
	}
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	got := m.do(t, request{path: "/.well-known/jwks.json", header: http.Header{"X-Request-Id": {ada}}})
	require.Equal(t, ada, got.Header.Get("X-Request-Id"), "a client's own id, so that he can find it again")
	require.Equal(t, ada, m.auth.requests()[0].Header.Get("X-Request-Id"))
	got = m.do(t, request{path: "/nowhere", header: http.Header{"X-Request-Id": {"a, b"}}})
	require.NotContains(t, got.Header.Get("X-Request-Id"), "a, b")
	require.Len(t, got.Problem.RequestID, 36)
}

func TestWhatAServiceMaySay(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	says := with(http.StatusOK,
		"Set-Cookie", "a=1", "Set-Cookie", "b=2", "Server", "Apache", "X-Powered-By", "PHP", "X-Request-Id", "its own",
		"Access-Control-Allow-Origin", "*", "X-Frame-Options", "ALLOWALL", "Atrium-Error", "{}", "X-Atrium-Debug", "1",
		"Deprecation", "@1767225600", "Sunset", "Fri, 01 Jan 2027 00:00:00 GMT", "Link", `<https://example.com>; rel="deprecation"`,
		"Etag", `"3"`, "Location", "/api/v1/users/1", "Content-Security-Policy", "default-src 'none'")
	m.users.answer(says)
	m.auth.answer(says)
	got := m.do(t, request{path: "/api/v1/users/me", token: m.issuer.SignUser(ada)})
	for _, name := range []string{"Set-Cookie", "Server", "X-Powered-By", "Access-Control-Allow-Origin", "Atrium-Error", "X-Atrium-Debug"} {
		require.Empty(t, got.Header.Values(name), name)
	}
	require.Len(t, got.Header.Values("X-Request-Id"), 1)
	require.Equal(t, []string{"DENY"}, got.Header.Values("X-Frame-Options"), "said once, by the gateway")
	require.Equal(t, "nosniff", got.Header.Get("X-Content-Type-Options"))
	require.Equal(t, "private, no-cache", got.Header.Get("Cache-Control"), "somebody's own data")
	for _, name := range []string{"Deprecation", "Sunset", "Link", "Etag", "Location", "Content-Security-Policy"} {
		require.NotEmpty(t, got.Header.Get(name), name)
	}
	got = m.do(t, request{method: "POST", path: "/api/v1/auth/login", body: "{}"})
	require.Equal(t, []string{"a=1", "b=2"}, got.Header.Values("Set-Cookie"), "auth may")
	require.Empty(t, got.Header.Get("Cache-Control"), "said by the service, or nobody's own")
}

func TestNotModifiedPassesThrough(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	m.users.answer(with(http.StatusNotModified, "Etag", `"3"`))
	got := m.do(t, request{path: "/api/v1/users/me", token: m.issuer.SignUser(ada), header: http.Header{"If-None-Match": {`"3"`}}})
	require.Equal(t, http.StatusNotModified, got.Status)
	require.Equal(t, `"3"`, got.Header.Get("Etag"))
	require.Empty(t, got.Body)
}

func TestStrictTransportSecurityOnlyBehindTLS(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	require.Empty(t, m.do(t, request{path: "/docs"}).Header.Get("Strict-Transport-Security"))
	for _, c := range []struct {
		env  config.Source
		want string
	}{
		{nil, "max-age=31536000"},
		{config.Source{"HSTS_INCLUDE_SUBDOMAINS": "true"}, "max-age=31536000; includeSubDomains"},
		{config.Source{"HSTS_MAX_AGE": "0"}, "max-age=0"},
	} {
		tls := start(t, config.Source{"ISSUER": "https://atrium.example.com"}.With(c.env))
		require.Equal(t, c.want, tls.do(t, request{path: "/docs"}).Header.Get("Strict-Transport-Security"))
	}
}
