package test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/services/auth/api"
)

// Whatever is wrong with a sign-in, the answer is the same to the byte, but for the request id.
func TestLogin_tells_nothing(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	m.person(t, "ada@example.com")
	m.register(t, "unverified@example.com")
	disabled := m.person(t, "disabled@example.com")
	_, err := m.pool.Exec(t.Context(), "UPDATE accounts SET status = 'disabled' WHERE id = $1", disabled)
	require.NoError(t, err)

	var bodies []string
	for _, attempt := range []struct{ email, password string }{
		{"nobody@example.com", goodPassword},
		{"not an address", goodPassword},
		{"ada@example.com", otherPassword},
		{"unverified@example.com", otherPassword},
		{"disabled@example.com", goodPassword},
		{"disabled@example.com", otherPassword},
	} {
		a := m.client(t).post("/api/v1/auth/login", object{"email": attempt.email, "password": attempt.password})
		a.refused(t, 401, "invalid_credentials")
		require.Contains(t, a.Header.Get("WWW-Authenticate"), "Bearer")
		problem := read[object](t, a)
		delete(problem, "request_id")
		bodies = append(bodies, strings.TrimSpace(problem["detail"].(string)))
		require.Len(t, problem, 5, "type, title, status, detail, code")
	}
	for _, b := range bodies {
		require.Equal(t, bodies[0], b)
	}
	require.Equal(t, 2, m.audits(t, "session.started", "failure", disabled.String()))
	require.Equal(t, 2, m.audits(t, "session.started", "failure", ""), "attempts at accounts that do not exist are in the trail, too")
}

func TestLogin_without_verification(t *testing.T) {
	t.Parallel()
	m := setup(t, config.Source{"REQUIRE_VERIFIED_EMAIL": "false"})
	m.register(t, "ada@example.com")
	require.NotEmpty(t, m.client(t).login("ada@example.com", goodPassword).AccessToken)
}

func TestLogin_slows_down(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	m.person(t, "ada@example.com")
	m.client(t).login("ada@example.com", goodPassword)
	stranger := m.client(t)
	stranger.ip = "198.51.100.9"
	for range 5 {
		stranger.post("/api/v1/auth/login", object{"email": "ada@example.com", "password": otherPassword}).refused(t, 401, "invalid_credentials")
	}
	a := stranger.post("/api/v1/auth/login", object{"email": "ada@example.com", "password": goodPassword}).refused(t, 429, "too_many_attempts")
	require.NotEmpty(t, a.Header.Get("Retry-After"))
	require.NotEmpty(t, m.client(t).login("ada@example.com", goodPassword).AccessToken, "the person is not locked out")
}

// Behind a blocked address, an account that was signed in from there is answered as one that does not exist, in like time; and its owner
// signs in.
func TestLogin_a_blocked_address_tells_nothing(t *testing.T) {
	t.Parallel()
	m := setup(t, config.Source{"UNIFORM_ANSWER_TIME": "300ms"})
	m.person(t, "ada@example.com")
	c := m.client(t)
	c.login("ada@example.com", goodPassword)
	for i := range 20 {
		c.post("/api/v1/auth/login", object{"email": fmt.Sprintf("nobody%d@example.com", i), "password": "wrong"}).refused(t, 401, "invalid_credentials")
	}
	for _, email := range []string{"ada@example.com", "nobody@example.com"} {
		start := time.Now()
		c.post("/api/v1/auth/login", object{"email": email, "password": "wrong"}).refused(t, 429, "too_many_attempts")
		require.GreaterOrEqual(t, time.Since(start), 300*time.Millisecond)
	}
	c.login("ada@example.com", goodPassword)
}

func TestLogin_replaces_an_old_hash(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	id := m.person(t, "ada@example.com")
	old, err := bcrypt.GenerateFromPassword([]byte(goodPassword), bcrypt.MinCost)
	require.NoError(t, err)
	_, err = m.pool.Exec(t.Context(), "UPDATE passwords SET hash = $2 WHERE account_id = $1", id, string(old))
	require.NoError(t, err)

	m.client(t).post("/api/v1/auth/login", object{"email": "ada@example.com", "password": otherPassword}).refused(t, 401, "invalid_credentials")
	m.client(t).login("ada@example.com", goodPassword)
	var hash string
	require.NoError(t, m.pool.QueryRow(t.Context(), "SELECT hash FROM passwords WHERE account_id = $1", id).Scan(&hash))
	require.True(t, strings.HasPrefix(hash, "$argon2id$"), hash)
	m.client(t).login("ada@example.com", goodPassword)
}

func TestLogin_with_cookies(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	m.person(t, "ada@example.com")
	c := m.client(t)
	a := c.post("/api/v1/auth/login", object{"email": "ada@example.com", "password": goodPassword, "transport": "cookie"}).want(t, 200)
	tokens := read[api.Tokens](t, a)
	require.Empty(t, tokens.AccessToken)
	require.Empty(t, tokens.RefreshToken)
	require.Equal(t, 900, tokens.ExpiresIn)
	cookies := cookiesOf(t, a)
	require.Len(t, cookies, 3)
	access, refresh := cookies[api.CookieAccess], cookies[api.CookieRefresh]
	require.Equal(t, "/", access.Path)
	require.Empty(t, access.Domain)
	require.Equal(t, 900, access.MaxAge)
	require.Equal(t, "/api/v1/auth", refresh.Path)
	require.Equal(t, 30*24*3600, refresh.MaxAge)
	require.True(t, m.signedIn(t, access.Value))

	c.cookie = api.CookieRefresh + "=" + refresh.Value
	a = c.post("/api/v1/auth/refresh", nil).want(t, 200)
	require.Empty(t, read[api.Tokens](t, a).RefreshToken, "what came in a cookie goes back into one")
	next := cookiesOf(t, a)
	require.Len(t, next, 2)
	require.NotEqual(t, refresh.Value, next[api.CookieRefresh].Value)

	c.cookie = api.CookieRefresh + "=nonsense"
	other := m.client(t).login("ada@example.com", goodPassword)
	require.NotEmpty(t, read[api.Tokens](t, c.refresh(other.RefreshToken).want(t, 200)).AccessToken, "a token in the body wins")
	c.post("/api/v1/auth/refresh", object{}).refused(t, 401, "refresh_token_invalid")

	c.cookie = api.CookieRefresh + "=" + next[api.CookieRefresh].Value
	a = c.post("/api/v1/auth/logout", nil).want(t, 204)
	require.Len(t, cookiesOf(t, a), 2, "the browser is recognised when it comes back")
	for _, gone := range cookiesOf(t, a) {
		require.Negative(t, gone.MaxAge)
		require.Empty(t, gone.Value)
	}
	m.soonRefused(t, next[api.CookieAccess].Value)
}

func TestLogin_ends_the_session_whose_cookies_it_replaces(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	ada := m.person(t, "ada@example.com")
	m.person(t, "eve@example.com")
	browser := m.client(t)
	first := browser.post("/api/v1/auth/login", object{"email": "ada@example.com", "password": goodPassword, "transport": "cookie"}).want(t, 200)
	browser.cookie = api.CookieRefresh + "=" + cookiesOf(t, first)[api.CookieRefresh].Value
	browser.post("/api/v1/auth/login", object{"email": "eve@example.com", "password": "wrong", "transport": "cookie"}).want(t, 401)
	require.True(t, m.signedIn(t, cookiesOf(t, first)[api.CookieAccess].Value), "whoever is not signed in replaces nothing")
	m.client(t).login("eve@example.com", goodPassword)
	browser.login("eve@example.com", goodPassword)
	require.True(t, m.signedIn(t, cookiesOf(t, first)[api.CookieAccess].Value), "tokens in the body replace no cookies")

	second := browser.post("/api/v1/auth/login", object{"email": "eve@example.com", "password": goodPassword, "transport": "cookie"}).want(t, 200)
	m.soonRefused(t, cookiesOf(t, first)[api.CookieAccess].Value)
	browser.post("/api/v1/auth/refresh", nil).refused(t, 401, "refresh_token_invalid")
	require.Equal(t, 1, m.audits(t, "session.ended", "success", ada.String()))
	require.True(t, m.signedIn(t, cookiesOf(t, second)[api.CookieAccess].Value))

	for _, worthless := range []string{"nonsense", "A" + cookiesOf(t, first)[api.CookieRefresh].Value[1:], cookiesOf(t, first)[api.CookieRefresh].Value} {
		browser.cookie = api.CookieRefresh + "=" + worthless
		browser.post("/api/v1/auth/login", object{"email": "ada@example.com", "password": goodPassword, "transport": "cookie"}).want(t, 200)
	}
}

func cookiesOf(t *testing.T, a answer) map[string]*http.Cookie {
	t.Helper()
	out := map[string]*http.Cookie{}
	for _, c := range a.Cookies() {
		require.True(t, c.HttpOnly)
		require.True(t, c.Secure)
		require.Equal(t, http.SameSiteLaxMode, c.SameSite)
		out[c.Name] = c
	}
	return out
}

func TestToken(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	m.person(t, "ada@example.com")
	m.register(t, "unverified@example.com")
	form := func(t *testing.T, values ...string) answer {
		t.Helper()
		v := url.Values{}
		for i := 0; i < len(values); i += 2 {
			v.Set(values[i], values[i+1])
		}
		return m.client(t).send(http.MethodPost, "/api/v1/auth/token", "application/x-www-form-urlencoded", strings.NewReader(v.Encode()))
	}

	t.Run("password", func(t *testing.T) {
		t.Parallel()
		a := form(t, "grant_type", "password", "username", "ada@example.com", "password", goodPassword, "scope", "x", "client_id", "docs", "audience", "y").want(t, 200)
		require.Equal(t, "no-store", a.Header.Get("Cache-Control"))
		tokens := read[api.OAuthAnswer](t, a)
		require.Equal(t, "Bearer", tokens.TokenType)
		require.True(t, m.signedIn(t, tokens.AccessToken))

		a = form(t, "grant_type", "refresh_token", "refresh_token", tokens.RefreshToken).want(t, 200)
		require.True(t, m.signedIn(t, read[api.OAuthAnswer](t, a).AccessToken))
	})

	for name, tt := range map[string]struct {
		form []string
		want string
	}{
		"nothing":               {[]string{"state", "x"}, "invalid_request"},
		"no_password":           {[]string{"grant_type", "password", "username", "ada@example.com"}, "invalid_request"},
		"no_refresh_token":      {[]string{"grant_type", "refresh_token"}, "invalid_request"},
		"a_grant_not_offered":   {[]string{"grant_type", "client_credentials"}, "unsupported_grant_type"},
		"a_wrong_password":      {[]string{"grant_type", "password", "username", "ada@example.com", "password", "wrong"}, "invalid_grant"},
		"an_unverified_address": {[]string{"grant_type", "password", "username", "unverified@example.com", "password", goodPassword}, "invalid_grant"},
		"a_wrong_refresh_token": {[]string{"grant_type", "refresh_token", "refresh_token", "nonsense"}, "invalid_grant"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := form(t, tt.form...).want(t, 400)
			require.Equal(t, "application/json", a.Header.Get("Content-Type"))
			require.Equal(t, "no-store", a.Header.Get("Cache-Control"))
			answer := read[object](t, a)
			require.Equal(t, tt.want, answer["error"])
			require.NotEmpty(t, answer["error_description"])
			require.Len(t, answer, 2)
		})
	}

	t.Run("not_a_form", func(t *testing.T) {
		t.Parallel()
		m.client(t).post("/api/v1/auth/token", object{"grant_type": "password"}).refused(t, 415, "unsupported_content_type")
	})
}
