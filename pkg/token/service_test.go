package token_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/pkg/token/tokentest"
)

func TestVerifyService(t *testing.T) {
	t.Parallel()
	issuer := tokentest.NewIssuer(t)
	marks := token.NewWatermarks(nil)
	v := issuer.VerifierOf("auth", marks)
	raw := issuer.SignService("users", "auth")
	for range 2 { // verified, and remembered
		name, err := v.VerifyService(t.Context(), raw)
		require.NoError(t, err)
		require.Equal(t, "users", name)
	}
	_, err := v.Verify(t.Context(), raw)
	requireCode(t, err, errs.Unauthenticated, token.CodeInvalid)
	_, err = issuer.VerifierOf("notifications", nil).VerifyService(t.Context(), raw)
	requireCode(t, err, errs.Unavailable, authz.CodeServiceRefused)
	_, err = issuer.Verifier(nil).VerifyService(t.Context(), raw)
	requireCode(t, err, errs.Unavailable, authz.CodeServiceRefused)

	marks.Raise(token.Watermark{Scope: token.ScopeKey, ID: token.KeyID(issuer.Withdraw()), NotBefore: time.Now(), ExpiresAt: time.Now().Add(time.Hour)})
	_, err = v.VerifyService(t.Context(), raw)
	requireCode(t, err, errs.Unavailable, authz.CodeServiceRefused)
	name, err := v.VerifyService(t.Context(), issuer.SignService("users", "auth"))
	require.NoError(t, err)
	require.Equal(t, "users", name)
}

// TestPeopleAndServicesStayApart tries tokens of our own issuer that are a person's in one thing and a service's in another.
func TestPeopleAndServicesStayApart(t *testing.T) {
	t.Parallel()
	issuer := tokentest.NewIssuer(t)
	v := issuer.VerifierOf("auth", nil)
	service := func(change func(*tokentest.Claims)) string {
		c := tokentest.ServiceClaims("users", "auth")
		change(&c)
		return issuer.Sign(c)
	}
	both := []string{tokentest.Audience, token.ServiceName("auth")}
	person := issuer.SignAdmin(tokentest.TokenID(t, time.Now()))
	_, err := v.Verify(t.Context(), person)
	require.NoError(t, err)
	for name, raw := range map[string]string{
		"a person":                           person,
		"a person, meant for the service":    issuer.Sign(tokentest.Claims{Extra: map[string]any{"aud": both}}),
		"a person who says to be a service":  service(func(c *tokentest.Claims) { c.Type = "user" }),
		"a service without a service's name": service(func(c *tokentest.Claims) { c.Subject = tokentest.TokenID(t, time.Now()) }),
		"a service without a name":           service(func(c *tokentest.Claims) { c.Subject = token.ServicePrefix }),
		"a service, meant for everybody":     service(func(c *tokentest.Claims) { c.Extra["aud"] = []string{tokentest.Audience} }),
	} {
		_, err := v.VerifyService(t.Context(), raw)
		requireCode(t, err, errs.Unavailable, authz.CodeServiceRefused)
		require.Error(t, err, name)
	}
	for name, raw := range map[string]string{
		"a service, meant for people too": service(func(c *tokentest.Claims) { c.Extra["aud"] = both }),
		"the type of a service":           issuer.Sign(tokentest.Claims{Type: token.TypeService}),
		"the name of a service":           issuer.Sign(tokentest.Claims{Subject: token.ServiceName("users")}),
	} {
		_, err := v.Verify(t.Context(), raw)
		requireCode(t, err, errs.Unauthenticated, token.CodeInvalid)
		require.Error(t, err, name)
	}
	for _, bad := range issuer.Bad(tokentest.ServiceClaims("users", "auth")) {
		_, err := v.VerifyService(t.Context(), bad.Token)
		requireCode(t, err, errs.Unavailable, authz.CodeServiceRefused)
	}
}

// TestForeignIssuersNameNoService is about an issuer whom we trust for people of its own.
func TestForeignIssuersNameNoService(t *testing.T) {
	t.Parallel()
	own, foreign := tokentest.NewIssuer(t), tokentest.NewIssuer(t)
	v := token.NewVerifier(token.Config{Issuers: []token.Issuer{own.Own(), foreign.External("users:write")}, Service: "auth"})
	t.Cleanup(func() { require.NoError(t, v.Stop(t.Context())) })
	_, err := v.VerifyService(t.Context(), foreign.SignService("users", "auth"))
	requireCode(t, err, errs.Unavailable, authz.CodeServiceRefused)
	who, err := v.Verify(t.Context(), foreign.Sign(tokentest.Claims{Subject: token.ServiceName("users"), Type: token.TypeService}))
	require.NoError(t, err)
	require.Equal(t, foreign.URL+"|service:users", who.Subject)
	require.Equal(t, token.TypeExternal, who.Type)
}

func TestAudienceOfAServiceIsRefused(t *testing.T) {
	t.Parallel()
	issuer := tokentest.NewIssuer(t).Own()
	issuer.Audience = token.ServiceName("auth")
	require.ErrorContains(t, token.Config{Issuers: []token.Issuer{issuer}}.Validate(), "must not begin with service:")
}

func TestAssertion(t *testing.T) {
	t.Parallel()
	now := time.Now()
	current, old, other := []byte("the new key of users, 32 bytes and more"), []byte("the old key of users, 32 bytes and more"), []byte("the key of another, 32 bytes and more..")
	keys := func(service string) [][]byte {
		if service == "users" {
			return [][]byte{current, old}
		}
		return nil
	}
	made := func(key []byte, service, issuer string, at time.Time) string {
		raw, err := token.NewAssertion(key, service, issuer, "auth", at)
		require.NoError(t, err)
		return raw
	}
	for _, key := range [][]byte{current, old} {
		got, err := token.ParseAssertion(made(key, "users", "https://atrium.test", now), "https://atrium.test", keys, now)
		require.NoError(t, err)
		require.Equal(t, "users", got.Service)
		require.Equal(t, "auth", got.Target)
		require.NotEmpty(t, got.ID)
		require.WithinDuration(t, now.Add(90*time.Second), got.ExpiresAt, time.Second)
	}
	for name, raw := range map[string]string{
		"another key":     made(other, "users", "https://atrium.test", now),
		"another service": made(current, "gateway", "https://atrium.test", now),
		"another issuer":  made(current, "users", "https://elsewhere.test", now),
		"too old":         made(current, "users", "https://atrium.test", now.Add(-91*time.Second)),
		"too good":        made(current, "users", "https://atrium.test", now.Add(31*time.Second)),
		"empty":           "",
		"too long":        made(current, "users", string(make([]byte, 3000)), now),
		"a person's":      tokentest.NewIssuer(t).SignUser("users"),
	} {
		_, err := token.ParseAssertion(raw, "https://atrium.test", keys, now)
		require.Error(t, err, name)
	}
	_, err := token.NewAssertion([]byte("short"), "users", "https://atrium.test", "auth", now)
	require.Error(t, err)
}
