package test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/pkg/token/tokentest"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
)

func TestBadTokens(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	for _, bad := range m.issuer.Bad(tokentest.Claims{Subject: ada, Permissions: []string{"users:read"}}) {
		got := m.do(t, request{path: "/api/v1/users/" + ada, token: bad.Token})
		require.Equal(t, http.StatusUnauthorized, got.Status, bad.Name)
		require.Equal(t, bad.Code, got.Problem.Code, bad.Name)
		require.Contains(t, got.Header.Get("WWW-Authenticate"), "Bearer", bad.Name)
		require.Equal(t, "no-store", got.Header.Get("Cache-Control"), bad.Name)
		if bad.Token != "" {
			require.NotContains(t, got.Body, bad.Token, bad.Name)
		}
		m.silent(t)
	}
}

func TestBadTokenOnPublicOperation(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	got := m.do(t, request{method: "POST", path: "/api/v1/auth/login", body: "{}", token: m.issuer.Expired(tokentest.Claims{})})
	require.Equal(t, http.StatusOK, got.Status, "a stale token must not keep anybody from signing in again")
	require.Empty(t, m.auth.requests()[0].Header.Get("Authorization"), "nobody gets a token that was not verified")
}

func TestTokenInOtherSchemes(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	good := m.issuer.SignUser(ada)
	for name, header := range map[string]string{
		"basic": "Basic YWRhOnNlY3JldA==", "no scheme": good, "empty": "", "bearer without a token": "Bearer ",
	} {
		got := m.do(t, request{path: "/api/v1/users/me", header: http.Header{"Authorization": {header}}})
		require.Equal(t, http.StatusUnauthorized, got.Status, name)
		require.Equal(t, token.CodeMissing, got.Problem.Code, name)
	}
	got := m.do(t, request{path: "/api/v1/users/me", header: http.Header{"Authorization": {"bEaReR " + good}}})
	require.Equal(t, http.StatusOK, got.Status, "schemes have no case (RFC 9110 section 11.1)")
	m.users.requests()
}

func TestExternalIssuer(t *testing.T) {
	t.Parallel()
	other := tokentest.NewIssuer(t, tokentest.WithAlgorithm("EdDSA"))
	trusted, err := json.Marshal([]map[string]any{{
		"url": other.URL, "jwks_url": other.JWKSURL, "audience": tokentest.Audience, "permissions": []string{"users:read"},
	}})
	require.NoError(t, err)
	m := start(t, config.Source{"TRUSTED_ISSUERS": string(trusted)})
	m.users.answer(with(http.StatusOK))

	claims := tokentest.Claims{Subject: ada, Permissions: []string{"users:read", "users:write"}}
	require.Equal(t, http.StatusOK, m.do(t, request{path: "/api/v1/users", token: other.Sign(claims)}).Status)
	m.users.requests()
	got := m.do(t, request{method: "PATCH", path: "/api/v1/users/" + ada, body: "{}", token: other.Sign(claims)})
	got.refused(t, http.StatusForbidden, "permission_denied") // neither its permission nor its subject is ours
	m.silent(t)
	m.do(t, request{path: "/api/v1/users", token: other.WrongAudience(claims)}).refused(t, http.StatusUnauthorized, token.CodeInvalid)
	m.silent(t)
}

func TestKeysAway(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	m.do(t, request{path: "/.well-known/jwks.json"}) // auth itself has its keys
	m.auth.requests()
	m.issuer.SetDown(true)
	good := m.issuer.SignUser(ada)
	got := m.do(t, request{path: "/api/v1/users/me", token: good})
	got.refused(t, http.StatusServiceUnavailable, token.CodeKeysUnavailable)
	require.NotEmpty(t, got.Header.Get("Retry-After"))
	require.Equal(t, http.StatusOK, m.do(t, request{path: "/.well-known/jwks.json"}).Status, "what is public works")
	m.auth.requests()
	m.silent(t)
}

func TestRevokedToken(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	good := m.issuer.Sign(tokentest.Claims{Subject: ada, SessionID: bob})
	require.Equal(t, http.StatusOK, m.do(t, request{path: "/api/v1/users/me", token: good}).Status)
	m.revocations.raise(t, token.ScopeSession, bob, true)
	require.Eventually(t, func() bool {
		return m.do(t, request{path: "/api/v1/users/me", token: good}).Problem.Code == token.CodeRevoked
	},
		within, tick)
}

func TestCookies(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	good := m.issuer.SignUser(ada)
	cookies := auth.CookieAccess + "=" + good + "; other=1; " + auth.CookieRefresh + "=refresh-secret; " + auth.CookieDevice + "=device"
	browser := func(header ...string) http.Header {
		h := http.Header{"Cookie": {cookies}}
		for i := 0; i < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return h
	}

	require.Equal(t, http.StatusOK, m.do(t, request{path: "/api/v1/users/me", header: browser()}).Status)
	got := m.users.requests()[0]
	require.Equal(t, "Bearer "+good, got.Header.Get("Authorization"), "a service gets the token the usual way")
	require.Empty(t, got.Header.Values("Cookie"), "and no cookie")

	require.Equal(t, http.StatusOK, m.do(t, request{method: "POST", path: "/api/v1/auth/refresh", header: browser()}).Status)
	require.Equal(t, auth.CookieRefresh+"=refresh-secret; "+auth.CookieDevice+"=device", m.auth.requests()[0].Header.Get("Cookie"),
		"auth gets those that are for it only")

	for name, foreign := range map[string]http.Header{
		"other site":                browser("Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"),
		"sibling":                   browser("Sec-Fetch-Site", "same-site", "Origin", "https://evil.example.com"),
		"a browser without the new": browser("Origin", "https://evil.example"),
		"sandboxed":                 browser("Origin", "null"),
	} {
		for _, path := range []string{"/api/v1/users/" + ada, "/api/v1/auth/logout", "/api/v1/auth/login"} {
			method := map[bool]string{true: "DELETE", false: "POST"}[strings.Contains(path, "users")]
			got := m.do(t, request{method: method, path: path, header: foreign})
			require.Equal(t, "cross_origin_refused", got.Problem.Code, "%s %s", name, path)
			m.silent(t)
		}
	}
	for _, name := range auth.Cookies() { // with a good token beside it, too
		h := http.Header{"Cookie": {name + "=x"}, "Origin": {"https://evil.example"}}
		m.do(t, request{method: "POST", path: "/api/v1/auth/verify-email", body: "{}", token: good, header: h}).
			refused(t, http.StatusForbidden, "cross_origin_refused")
		m.silent(t)
	}
	onlyRefresh := http.Header{"Cookie": {auth.CookieRefresh + "=refresh-secret"}, "Sec-Fetch-Site": {"cross-site"}}
	for _, path := range []string{"/api/v1/auth/logout", "/api/v1/auth/refresh"} {
		m.do(t, request{method: "POST", path: path, header: onlyRefresh}).refused(t, http.StatusForbidden, "cross_origin_refused")
	}
	m.silent(t)
	for _, bad := range []string{"Bearer nonsense", "Bearer ", "Basic YWRhOnNlY3JldA=="} { // must not let the cookies beside it act
		for _, path := range []string{"/api/v1/auth/logout", "/api/v1/auth/refresh"} {
			h := browser("Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example", "Authorization", bad)
			m.do(t, request{method: "POST", path: path, header: h}).refused(t, http.StatusForbidden, "cross_origin_refused")
		}
	}
	cookieless := http.Header{"Sec-Fetch-Site": {"cross-site"}, "Authorization": {"Bearer nonsense"}}
	m.do(t, request{method: "POST", path: "/api/v1/auth/login", body: "{}", header: cookieless}).refused(t, http.StatusForbidden, "cross_origin_refused")
	withGood := browser("Sec-Fetch-Site", "cross-site", "Authorization", "Bearer "+good)
	m.do(t, request{method: "POST", path: "/api/v1/auth/logout", header: withGood}).refused(t, http.StatusForbidden, "cross_origin_refused")
	m.silent(t)
	own := browser("Sec-Fetch-Site", "same-origin", "Origin", m.URL)
	require.Equal(t, http.StatusOK, m.do(t, request{method: "POST", path: "/api/v1/auth/logout", header: own}).Status)
	ours := browser("Origin", m.issuer.URL) // the public address, which a proxy in front may have replaced in Host
	require.Equal(t, http.StatusOK, m.do(t, request{method: "POST", path: "/api/v1/auth/logout", header: ours}).Status)
}
