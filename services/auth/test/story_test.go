package test

import (
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/services/auth/api"
)

// One person's way: signs up, verifies, signs in, looks around, refreshes, signs out.
func TestStory(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	c := m.client(t)

	a := c.post("/api/v1/auth/register", object{"email": " Ada@Example.com ", "password": goodPassword, "full_name": " Ada Lovelace ", "locale": "en-GB"}).want(t, 202)
	require.JSONEq(t, `{"email": "Ada@Example.com"}`, string(a.body))
	id := m.idOf(t, "ada@example.com")

	registered := outbox[api.AccountRegisteredData](t, m, api.AccountRegistered.Name, id)
	require.Len(t, registered, 1)
	require.Equal(t, api.AccountRegisteredData{
		AccountID: id, Email: "Ada@Example.com", FullName: "Ada Lovelace", Locale: "en-GB", Origin: api.OriginSignUp, Roles: []string{"user"},
		At: registered[0].At,
	}, registered[0])
	require.Equal(t, 1, m.audits(t, "account.registered", "success", id.String()))

	c.post("/api/v1/auth/login", object{"email": "ada@example.com", "password": goodPassword}).refused(t, 401, "invalid_credentials")
	token := m.link(t, id, api.LinkVerifyEmail)
	m.verify(t, token).want(t, 204)
	m.verify(t, token).refused(t, 422, "link_used")
	require.Len(t, outbox[api.AccountVerifiedData](t, m, api.AccountVerified.Name, id), 1)

	a = c.post("/api/v1/auth/login", object{"email": "ADA@example.com", "password": goodPassword}).want(t, 200)
	require.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	require.Empty(t, a.Header.Values("Set-Cookie"))
	tokens := read[api.Tokens](t, a)
	require.Equal(t, "Bearer", tokens.TokenType)
	require.Equal(t, 900, tokens.ExpiresIn)
	claims := claimsOf(t, tokens.AccessToken)
	require.Equal(t, id.String(), claims["sub"])
	require.Equal(t, []any{"user"}, claims["roles"])
	require.Empty(t, claims["scope"])

	started := outbox[api.SessionStartedData](t, m, api.SessionStarted.Name, id)
	require.Len(t, started, 1)
	require.False(t, started[0].NewDevice, "the first sign-in is no news")
	require.Equal(t, "Firefox on Linux", started[0].Device)
	require.Equal(t, "203.0.113.7", started[0].IP)

	list := read[api.SessionPage](t, c.with(tokens.AccessToken).get("/api/v1/auth/sessions").want(t, 200))
	require.EqualValues(t, 1, list.Total)
	require.True(t, list.Items[0].Current)
	require.Equal(t, claims["sid"], list.Items[0].ID)

	next := read[api.Tokens](t, c.refresh(tokens.RefreshToken).want(t, 200))
	require.NotEqual(t, tokens.RefreshToken, next.RefreshToken)
	require.Equal(t, claims["sid"], claimsOf(t, next.AccessToken)["sid"])

	a = c.with(next.AccessToken).post("/api/v1/auth/logout", nil).want(t, 204)
	require.Len(t, a.Header.Values("Set-Cookie"), 2)
	m.soonRefused(t, next.AccessToken)
	m.soonRefused(t, tokens.AccessToken)
	c.refresh(next.RefreshToken).refused(t, 401, "refresh_token_invalid")
	require.Equal(t, 1, m.audits(t, "session.ended", "success", id.String()))
}

// claimsOf reads a token without verifying it; the service does that when the token is used.
func claimsOf(t testing.TB, raw string) object {
	t.Helper()
	parsed, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.ES256, jose.RS256})
	require.NoError(t, err)
	require.Equal(t, "at+jwt", parsed.Headers[0].ExtraHeaders["typ"])
	require.NotEmpty(t, parsed.Headers[0].KeyID)
	var claims object
	require.NoError(t, parsed.UnsafeClaimsWithoutVerification(&claims))
	return claims
}

func scopeOf(t testing.TB, raw string) []string {
	t.Helper()
	scope, _ := claimsOf(t, raw)["scope"].(string)
	return strings.Fields(scope)
}
