package token_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/pkg/token/tokentest"
)

// clock is one that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 4, 5, 6, 7, 89_000_000, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// nextLetter is another spelling of the last letter of a signature of 64 bytes, of which only the first two bits count.
func nextLetter(letter byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, letter)+1])
}

func requireCode(t *testing.T, err error, kind errs.Kind, code string) {
	t.Helper()
	require.ErrorIs(t, err, kind)
	require.Equal(t, code, errs.From(err).Code)
}

func TestVerify(t *testing.T) {
	t.Parallel()
	for _, alg := range []jose.SignatureAlgorithm{jose.ES256, jose.RS256} {
		t.Run("own_token_becomes_a_principal/"+string(alg), func(t *testing.T) {
			t.Parallel()
			c := newClock()
			issuer := tokentest.NewIssuer(t, tokentest.WithAlgorithm(alg), tokentest.WithClock(c.Now))
			id := tokentest.TokenID(t, c.Now())
			raw := issuer.Sign(tokentest.Claims{
				Subject: "u1", SessionID: "s1", OrgID: "acme", TokenID: id, Type: "user",
				Roles: []string{"support"}, Permissions: []string{"users:read", "audit:read"},
			})
			principal, err := issuer.Verifier(nil).Verify(t.Context(), raw)
			require.NoError(t, err)
			require.Equal(t, &authz.Principal{
				Subject: "u1", SessionID: "s1", OrgID: "acme", TokenID: id, KeyID: token.KeyID(issuer.KeyID()), Issuer: issuer.URL, Type: "user",
				Roles: []string{"support"}, Permissions: []string{"users:read", "audit:read"},
				IssuedAt: c.Now(), ExpiresAt: c.Now().Truncate(time.Second).Add(tokentest.Lifetime),
			}, principal)
		})
	}
	t.Run("issue_instant_is_iat_when_the_id_is_no_uuidv7", func(t *testing.T) {
		t.Parallel()
		c := newClock()
		issuer := tokentest.NewIssuer(t, tokentest.WithClock(c.Now))
		principal, err := issuer.Verifier(nil).Verify(t.Context(), issuer.Sign(tokentest.Claims{TokenID: "7d444840-9dc0-41d1-b245-5ffdce74fad2"}))
		require.NoError(t, err)
		require.Equal(t, c.Now().Truncate(time.Second), principal.IssuedAt)
	})
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	c := newClock()
	issuer := tokentest.NewIssuer(t, tokentest.WithClock(c.Now))
	verifier := issuer.Verifier(nil)
	for _, bad := range issuer.Bad(tokentest.Claims{Permissions: []string{"users:read"}}) {
		t.Run(bad.Name, func(t *testing.T) {
			t.Parallel()
			principal, err := verifier.Verify(t.Context(), bad.Token)
			requireCode(t, err, errs.Unauthenticated, bad.Code)
			require.Nil(t, principal)
		})
	}
}

// TestPrecheck tries what is refused without a key: the JWKS endpoint must not be asked.
func TestPrecheck(t *testing.T) {
	t.Parallel()
	c := newClock()
	issuer := tokentest.NewIssuer(t, tokentest.WithClock(c.Now))
	verifier := issuer.Verifier(nil)
	at := func(d time.Duration) int64 { return c.Now().Add(d).Unix() }
	header := func(name string, value any) tokentest.Claims {
		return tokentest.Claims{Header: map[string]any{name: value}}
	}
	claim := func(name string, value any) tokentest.Claims {
		return tokentest.Claims{Extra: map[string]any{name: value}}
	}
	good := issuer.Sign(tokentest.Claims{})
	parts := strings.Split(good, ".")
	raws := map[string]string{
		"two_parts":         parts[0] + "." + parts[1],
		"four_parts":        good + ".AAAA",
		"five_parts_jwe":    good + ".AAAA.AAAA",
		"empty_header":      "." + parts[1] + "." + parts[2],
		"empty_payload":     parts[0] + ".." + parts[2],
		"line_break":        parts[0] + "." + parts[1] + "." + parts[2] + "\n",
		"padding":           parts[0] + "=." + parts[1] + "." + parts[2],
		"standard_alphabet": parts[0] + "." + parts[1] + "." + "+/+/",
		"header_no_json":    "AAAA." + parts[1] + "." + parts[2],
		"payload_no_json":   parts[0] + ".AAAA." + parts[2],
		"leading_space":     " " + good,
		"trailing_bits":     good[:len(good)-1] + nextLetter(good[len(good)-1]),
	}
	for name, claims := range map[string]tokentest.Claims{
		"alg_missing":             header("alg", nil),
		"alg_es384_of_our_own":    header("alg", "ES384"),
		"alg_ps256_of_our_own":    header("alg", "PS256"),
		"alg_eddsa_of_our_own":    header("alg", "EdDSA"),
		"alg_none_capitals":       header("alg", "NONE"),
		"alg_no_string":           header("alg", 1),
		"typ_missing":             header("typ", nil),
		"typ_id_token":            header("typ", "JWT"),
		"typ_with_parameters":     header("typ", "at+jwt; x=y"),
		"typ_refresh":             header("typ", "application/rt+jwt"),
		"crit":                    header("crit", []string{"exp"}),
		"crit_b64":                {Header: map[string]any{"crit": []string{"b64"}, "b64": false}},
		"kid_missing":             header("kid", nil),
		"crit_empty":              header("crit", []string{}),
		"iss_missing":             claim("iss", nil),
		"iss_with_a_slash_more":   claim("iss", issuer.URL+"/"),
		"iss_no_string":           claim("iss", []string{issuer.URL}),
		"aud_missing":             claim("aud", nil),
		"aud_empty":               claim("aud", []string{}),
		"aud_prefix":              claim("aud", tokentest.Audience[:len(tokentest.Audience)-1]),
		"sub_missing":             claim("sub", nil),
		"sub_empty":               claim("sub", ""),
		"jti_missing":             claim("jti", nil),
		"iat_missing":             claim("iat", nil),
		"iat_beyond_the_leeway":   claim("iat", at(32*time.Second)),
		"nbf_beyond_the_leeway":   claim("nbf", at(32*time.Second)),
		"exp_missing":             claim("exp", nil),
		"exp_text":                claim("exp", "tomorrow"),
		"exp_negative":            claim("exp", -1),
		"exp_beyond_any_calendar": claim("exp", 1e18),
		"exp_before_iat":          {Extra: map[string]any{"iat": at(0), "exp": at(-1 * time.Second)}},
	} {
		raws[name] = issuer.Sign(claims)
	}
	for name, raw := range raws {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := verifier.Verify(t.Context(), raw)
			requireCode(t, err, errs.Unauthenticated, token.CodeInvalid)
		})
	}
	t.Cleanup(func() { require.Zero(t, issuer.Fetches(), "keys were fetched for tokens that can be refused without") })
}

func TestVerifyAccepts(t *testing.T) {
	t.Parallel()
	c := newClock()
	issuer := tokentest.NewIssuer(t, tokentest.WithClock(c.Now))
	verifier := issuer.Verifier(nil)
	at := func(d time.Duration) int64 { return c.Now().Add(d).Unix() }
	for name, claims := range map[string]tokentest.Claims{
		"typ_long":              {Header: map[string]any{"typ": "application/at+jwt"}},
		"typ_capitals":          {Header: map[string]any{"typ": "AT+JWT"}},
		"aud_string":            {Extra: map[string]any{"aud": tokentest.Audience}},
		"aud_among_others":      {Extra: map[string]any{"aud": []string{"x", tokentest.Audience}}},
		"iat_within_the_leeway": {Extra: map[string]any{"iat": at(29 * time.Second)}},
		"nbf_within_the_leeway": {Extra: map[string]any{"nbf": at(29 * time.Second)}},
		"exp_with_a_fraction":   {Extra: map[string]any{"exp": float64(at(time.Minute)) + 0.5}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := verifier.Verify(t.Context(), issuer.Sign(claims))
			require.NoError(t, err)
		})
	}
}

func TestVerifyExpiryHasNoLeeway(t *testing.T) {
	t.Parallel()
	for _, warm := range []bool{false, true} {
		c := newClock()
		issuer := tokentest.NewIssuer(t, tokentest.WithClock(c.Now))
		verifier := issuer.Verifier(nil)
		raw := issuer.Sign(tokentest.Claims{})
		c.Advance(tokentest.Lifetime - time.Second)
		if warm {
			_, err := verifier.Verify(t.Context(), raw)
			require.NoError(t, err)
		}
		c.Advance(time.Second)
		_, err := verifier.Verify(t.Context(), raw)
		requireCode(t, err, errs.Unauthenticated, token.CodeExpired)
	}
}

func TestVerifyRevocation(t *testing.T) {
	t.Parallel()
	for _, scope := range []string{token.ScopeUser, token.ScopeSession} {
		t.Run("cached_token_is_refused_after_a_watermark_of_the_"+scope, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			issuer := tokentest.NewIssuer(t, tokentest.WithClock(c.Now))
			watermarks := token.NewWatermarks(c.Now)
			verifier := issuer.Verifier(watermarks)
			claims := tokentest.Claims{Subject: "same-id", SessionID: "same-id"}
			raw := issuer.Sign(claims)
			_, err := verifier.Verify(t.Context(), raw)
			require.NoError(t, err)

			c.Advance(time.Millisecond)
			watermarks.Raise(token.Watermark{Scope: scope, ID: "same-id", NotBefore: c.Now(), ExpiresAt: c.Now().Add(time.Hour)})
			_, err = verifier.Verify(t.Context(), raw)
			requireCode(t, err, errs.Unauthenticated, token.CodeRevoked)

			_, err = verifier.Verify(t.Context(), issuer.Sign(claims))
			require.NoError(t, err, "a token issued after the revocation is good")
		})
	}
	t.Run("uncached_token_is_refused", func(t *testing.T) {
		t.Parallel()
		c := newClock()
		issuer := tokentest.NewIssuer(t, tokentest.WithClock(c.Now))
		watermarks := token.NewWatermarks(c.Now)
		raw := issuer.Sign(tokentest.Claims{Subject: "u1"})
		c.Advance(time.Millisecond)
		watermarks.Raise(token.Watermark{Scope: token.ScopeUser, ID: "u1", NotBefore: c.Now(), ExpiresAt: c.Now().Add(time.Hour)})
		_, err := issuer.Verifier(watermarks).Verify(t.Context(), raw)
		requireCode(t, err, errs.Unauthenticated, token.CodeRevoked)
	})
}

func TestVerifyExternalIssuer(t *testing.T) {
	t.Parallel()
	setup := func(t *testing.T, alg jose.SignatureAlgorithm, permissions ...string) (*tokentest.Issuer, *token.Verifier) {
		t.Helper()
		c := newClock()
		own := tokentest.NewIssuer(t, tokentest.WithClock(c.Now))
		further := tokentest.NewIssuer(t, tokentest.WithClock(c.Now), tokentest.WithAlgorithm(alg))
		verifier := token.NewVerifier(token.Config{
			Issuers:    []token.Issuer{own.Own(), further.External(permissions...)},
			HTTPClient: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}},
			Clock:      c.Now,
		})
		t.Cleanup(func() { require.NoError(t, verifier.Stop(t.Context())) })
		return further, verifier
	}
	for _, alg := range []jose.SignatureAlgorithm{jose.ES256, jose.RS256, jose.PS256, jose.ES384, jose.EdDSA} {
		t.Run("verifies/"+string(alg), func(t *testing.T) {
			t.Parallel()
			issuer, verifier := setup(t, alg)
			for _, typ := range []any{"JWT", "at+jwt", nil} {
				_, err := verifier.Verify(t.Context(), issuer.Sign(tokentest.Claims{Header: map[string]any{"typ": typ}}))
				require.NoError(t, err)
			}
		})
	}
	t.Run("may_leave_out_kid_and_iat", func(t *testing.T) {
		t.Parallel()
		issuer, verifier := setup(t, jose.ES256)
		issuer.Rotate()
		principal, err := verifier.Verify(t.Context(), issuer.Sign(tokentest.Claims{
			Header: map[string]any{"kid": nil}, Extra: map[string]any{"iat": nil, "jti": nil},
		}))
		require.NoError(t, err)
		require.True(t, principal.IssuedAt.IsZero(), "any watermark revokes it")
	})
	t.Run("nothing_of_it_can_equal_ours", func(t *testing.T) {
		t.Parallel()
		issuer, verifier := setup(t, jose.ES256)
		principal, err := verifier.Verify(t.Context(), issuer.Sign(tokentest.Claims{
			Subject: "u1", SessionID: "s1", OrgID: "default", Type: "user", Roles: []string{"admin"}, Permissions: []string{"users:delete"},
		}))
		require.NoError(t, err)
		require.Equal(t, issuer.URL+"|u1", principal.Subject)
		require.Equal(t, issuer.URL+"|s1", principal.SessionID)
		require.Equal(t, token.TypeExternal, principal.Type)
		require.Empty(t, principal.OrgID)
		require.Empty(t, principal.Roles)
		require.Empty(t, principal.Permissions)
	})
	t.Run("grants_only_what_it_may", func(t *testing.T) {
		t.Parallel()
		issuer, verifier := setup(t, jose.ES256, "users:read", "audit:read")
		principal, err := verifier.Verify(t.Context(), issuer.SignFor("u1", "users:delete", "users:read", "openid"))
		require.NoError(t, err)
		require.Equal(t, []string{"users:read"}, principal.Permissions)
	})
	t.Run("cannot_sign_for_our_own", func(t *testing.T) {
		t.Parallel()
		c := newClock()
		own := tokentest.NewIssuer(t, tokentest.WithClock(c.Now))
		issuer, _ := setup(t, jose.ES256)
		_, err := own.Verifier(nil).Verify(t.Context(), issuer.Sign(tokentest.Claims{Extra: map[string]any{"iss": own.URL}}))
		requireCode(t, err, errs.Unauthenticated, token.CodeInvalid)
	})
	t.Run("claims_of_other_forms_are_refused_not_believed", func(t *testing.T) {
		t.Parallel()
		issuer, verifier := setup(t, jose.ES256, "users:read")
		_, err := verifier.Verify(t.Context(), issuer.Sign(tokentest.Claims{Extra: map[string]any{"scope": 7}}))
		requireCode(t, err, errs.Unauthenticated, token.CodeInvalid)
	})
}

func TestVerifyWaitsNoLongerThanTheCaller(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	issuer := tokentest.NewIssuer(t)
	hanging := issuer.Own()
	hanging.JWKSURL = server.URL
	verifier := token.NewVerifier(token.Config{
		Issuers:    []token.Issuer{hanging},
		HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := verifier.Verify(ctx, issuer.Sign(tokentest.Claims{}))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, errs.Timeout, errs.KindOf(err))
	require.NoError(t, verifier.Stop(t.Context()), "stop ends the fetch that hangs")
	close(release)
}

func TestConfigReportsEverythingAtOnce(t *testing.T) {
	t.Parallel()
	err := token.Config{Issuers: []token.Issuer{
		{URL: "https://a.test", JWKSURL: "keys.json", Audience: "x", Own: true},
		{URL: "https://a.test", JWKSURL: "https://a.test/keys", Own: true},
		{},
	}, CacheSize: -1}.Validate()
	for _, want := range []string{
		"issuer 1: its JWKS URL", `issuer 2: "https://a.test" is there twice`, "issuer 2: its audience",
		"issuer 3: its URL", "only one issuer can be our own", "cache size",
	} {
		require.ErrorContains(t, err, want)
	}
	require.ErrorContains(t, token.Config{}.Validate(), "at least one issuer")
	require.Panics(t, func() { token.NewVerifier(token.Config{}) })
}
