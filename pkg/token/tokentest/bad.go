package tokentest

import (
	"maps"
	"strings"
	"time"

	"github.com/atrium-mesh/atrium/pkg/token"
)

// Bad is a token that must be refused.
type Bad struct {
	Name  string // what is wrong, as the name of a subtest
	Token string
	Code  string // the code of the answer
}

// Bad returns one token of every kind that must be refused, each made from a token of c that would be accepted.
func (i *Issuer) Bad(c Claims) []Bad {
	i.t.Helper()
	return []Bad{
		{"empty", "", token.CodeMissing},
		{"garbage", "not-a-token", token.CodeInvalid},
		{"oversized", strings.Repeat("a", token.MaxSize+1), token.CodeInvalid},
		{"expired", i.Expired(c), token.CodeExpired},
		{"alg_none", i.AlgNone(c), token.CodeInvalid},
		{"hs256_with_the_public_key", i.HS256WithPublicKey(c), token.CodeInvalid},
		{"wrong_audience", i.WrongAudience(c), token.CodeInvalid},
		{"wrong_issuer", i.WrongIssuer(c), token.CodeInvalid},
		{"forged", i.Forged(c), token.CodeInvalid},
		{"wrong_type", i.WrongType(c), token.CodeInvalid},
		{"tampered_payload", i.TamperedPayload(c), token.CodeInvalid},
		{"unknown_key", i.UnknownKey(c), token.CodeInvalid},
	}
}

// Expired is a token whose time was over a second ago.
func (i *Issuer) Expired(c Claims) string {
	i.t.Helper()
	c.IssuedAt = i.clock().Add(-Lifetime - time.Second)
	c.ExpiresAt = time.Time{}
	return i.Sign(c)
}

// AlgNone is a token that says it needs no signature, and has none.
func (i *Issuer) AlgNone(c Claims) string {
	i.t.Helper()
	c.Header = with(c.Header, "alg", "none")
	raw := i.Sign(c)
	return raw[:strings.LastIndexByte(raw, '.')+1]
}

// HS256WithPublicKey is a token with a MAC whose secret is the issuer's public key.
func (i *Issuer) HS256WithPublicKey(c Claims) string {
	i.t.Helper()
	c.Header = with(c.Header, "alg", "HS256")
	return i.Sign(c)
}

// WrongAudience is a token that is meant for somebody else.
func (i *Issuer) WrongAudience(c Claims) string {
	i.t.Helper()
	c.Extra = with(c.Extra, "aud", []string{"https://elsewhere.test"})
	return i.Sign(c)
}

// WrongIssuer is a token, well signed, that names an issuer nobody trusts.
func (i *Issuer) WrongIssuer(c Claims) string {
	i.t.Helper()
	c.Extra = with(c.Extra, "iss", "https://elsewhere.test")
	return i.Sign(c)
}

// Forged is a token that names the issuer and its key, and is signed by another key.
func (i *Issuer) Forged(c Claims) string {
	i.t.Helper()
	return encode(i.t, i.header(c), i.payload(c), newKey(i.t, i.alg).private)
}

// WrongType is a token of another kind, such as an ID token.
func (i *Issuer) WrongType(c Claims) string {
	i.t.Helper()
	c.Header = with(c.Header, "typ", "JWT")
	return i.Sign(c)
}

// TamperedPayload is a good token whose payload was replaced by one that grants more.
func (i *Issuer) TamperedPayload(c Claims) string {
	i.t.Helper()
	parts := strings.Split(i.Sign(c), ".")
	c.Permissions = append([]string{"users:delete", "roles:assign"}, c.Permissions...)
	parts[1] = segment(i.t, i.payload(c))
	return strings.Join(parts, ".")
}

// UnknownKey is a token that names a key which the issuer does not have.
func (i *Issuer) UnknownKey(c Claims) string {
	i.t.Helper()
	c.Header = with(c.Header, "kid", TokenID(i.t, i.clock()))
	return i.Sign(c)
}

func with(m map[string]any, key string, value any) map[string]any {
	out := map[string]any{}
	maps.Copy(out, m)
	out[key] = value
	return out
}
