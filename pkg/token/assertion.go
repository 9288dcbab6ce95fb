package token

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"
)

const (
	// AssertionLifetime is how long an assertion may be used after it was made.
	AssertionLifetime = time.Minute

	assertionType   = "client-authentication+jwt"
	maxAssertion    = 2 << 10 // bytes
	leastSecretSize = 32      // bytes of a MAC's key (RFC 7518, section 3.2)
)

// Assertion is how a service shows our issuer who it is, without the secret that the two share (RFC 7523, section 2.2; OpenID Connect
// Core, section 9, client_secret_jwt). It can be used once, for a minute, and only for the target that is named in it.
type Assertion struct {
	Service   string    // who asks: iss and sub
	Issuer    string    // whom it asks: aud
	Target    string    // the service that the token shall be meant for: resource (RFC 8707)
	ID        string    // jti
	ExpiresAt time.Time // exp
}

type assertionClaims struct {
	Issuer    string           `json:"iss"`
	Subject   string           `json:"sub"`
	Audience  string           `json:"aud"`
	Resource  string           `json:"resource"`
	ID        string           `json:"jti"`
	IssuedAt  *jwt.NumericDate `json:"iat"`
	ExpiresAt *jwt.NumericDate `json:"exp"`
}

// NewAssertion makes one that is signed with the key that the service and our issuer share.
func NewAssertion(key []byte, service, issuer, target string, now time.Time) (string, error) {
	if len(key) < leastSecretSize {
		return "", errors.New("assertion: the key is too short")
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("assertion: %w", err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: key}, (&jose.SignerOptions{}).WithType(assertionType))
	if err != nil {
		return "", fmt.Errorf("assertion: %w", err)
	}
	raw, err := jwt.Signed(signer).Claims(assertionClaims{
		Issuer:    service,
		Subject:   service,
		Audience:  issuer,
		Resource:  ServiceName(target),
		ID:        id.String(),
		IssuedAt:  jwt.NewNumericDate(now),
		ExpiresAt: jwt.NewNumericDate(now.Add(AssertionLifetime)),
	}).Serialize()
	if err != nil {
		return "", fmt.Errorf("assertion: %w", err)
	}
	return raw, nil
}

// ParseAssertion is the assertion that raw holds, for the issuer. The keys are those of the service that it names, of which any may
// have signed it: the old and the new one while a secret is replaced. Clocks may differ by half a minute. Whether it was used before is
// for the caller to know, until ExpiresAt, which already has that margin.
func ParseAssertion(raw, issuer string, keys func(service string) [][]byte, now time.Time) (Assertion, error) {
	if len(raw) > maxAssertion {
		return Assertion{}, errors.New("assertion: too long")
	}
	parsed, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.HS256})
	if err != nil {
		return Assertion{}, fmt.Errorf("assertion: %w", err)
	}
	if typ := parsed.Headers[0].ExtraHeaders[jose.HeaderType]; typ != assertionType {
		return Assertion{}, errors.New("assertion: typ is not " + assertionType)
	}
	var claimed assertionClaims
	if err := parsed.UnsafeClaimsWithoutVerification(&claimed); err != nil { // only to know whose key to look for
		return Assertion{}, fmt.Errorf("assertion: %w", err)
	}
	for _, key := range keys(claimed.Subject) {
		var signed assertionClaims
		if parsed.Claims(key, &signed) == nil {
			return signed.check(issuer, now)
		}
	}
	return Assertion{}, errors.New("assertion: no key of the service signed it")
}

func (c assertionClaims) check(issuer string, now time.Time) (Assertion, error) {
	target := trimService(c.Resource)
	switch {
	case c.Issuer != c.Subject || c.Subject == "":
		return Assertion{}, errors.New("assertion: iss and sub are not the service")
	case c.Audience != issuer:
		return Assertion{}, errors.New("assertion: meant for another issuer")
	case target == "":
		return Assertion{}, errors.New("assertion: resource is not a service")
	case c.ID == "" || c.ExpiresAt == nil || c.IssuedAt == nil:
		return Assertion{}, errors.New("assertion: no jti, iat or exp")
	}
	expires := c.ExpiresAt.Time()
	if !now.Before(expires.Add(leeway)) || expires.After(now.Add(AssertionLifetime+leeway)) {
		return Assertion{}, errors.New("assertion: expired, or good for too long")
	}
	return Assertion{Service: c.Subject, Issuer: c.Audience, Target: target, ID: c.ID, ExpiresAt: expires.Add(leeway)}, nil
}
