package token

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
)

// FuzzPrecheck says of every input: it is refused with a code, or each thing that is promised before the signature holds.
func FuzzPrecheck(f *testing.F) {
	now := time.Unix(1_770_000_000, 0)
	v := NewVerifier(Config{
		Issuers: []Issuer{
			{URL: "https://own.test", JWKSURL: "https://own.test/keys", Audience: "api", Own: true},
			{URL: "https://other.test", JWKSURL: "https://other.test/keys", Audience: "api"},
		},
		Clock: func() time.Time { return now },
	})
	b64 := base64.RawURLEncoding.EncodeToString
	for _, header := range []string{
		`{"alg":"ES256","typ":"at+jwt","kid":"a"}`, `{"alg":"none","typ":"at+jwt"}`, `{"alg":"EdDSA","typ":"JWT"}`, `{"alg":"ES256","crit":["b64"]}`, `[]`, `{`,
	} {
		for _, payload := range []string{
			`{"iss":"https://own.test","sub":"u","aud":"api","iat":1769999999,"exp":1770000001,"jti":"x"}`,
			`{"iss":"https://other.test","sub":"u","aud":["api"],"exp":1.77e9}`,
			`{"iss":"https://other.test","aud":{},"exp":"x"}`, `null`, ``,
		} {
			f.Add(b64([]byte(header)) + "." + b64([]byte(payload)) + ".AAAA")
		}
	}
	f.Add("..")
	f.Add(strings.Repeat(".", 100))
	f.Fuzz(func(t *testing.T, raw string) {
		p, err := v.people.precheck(raw, now)
		if err != nil {
			require.ErrorIs(t, err, errs.Unauthenticated)
			require.Contains(t, []string{CodeInvalid, CodeExpired}, errs.From(err).Code)
			return
		}
		require.LessOrEqual(t, len(raw), MaxSize)
		require.Equal(t, 2, strings.Count(raw, "."))
		require.True(t, slices.Contains(externalAlgorithms, p.header.Alg))
		require.Equal(t, p.claims.Issuer, p.issuer.URL)
		require.Contains(t, p.claims.Audience, "api")
		require.True(t, now.Before(p.claims.ExpiresAt.Time()))
		require.NotEmpty(t, p.claims.Subject)
		if principal, err := p.principal(); err == nil {
			require.Equal(t, !p.issuer.Own, strings.Contains(principal.Subject, "https://other.test|"))
		}
	})
}

// FuzzParseKeys says of every answer of a JWKS endpoint: an error, or keys that are public and fit to verify with.
func FuzzParseKeys(f *testing.F) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(f, err)
	good, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: private.Public(), KeyID: "a", Use: "sig"}}})
	require.NoError(f, err)
	f.Add(good)
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"AAAA"},{"kty":"RSA","n":"AQAB","e":"AQAB"},7]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		keys, err := parseKeys(body)
		require.Equal(t, err == nil, len(keys) > 0)
		for _, key := range keys {
			require.True(t, key.IsPublic() && key.Valid())
		}
	})
}
