package tokentest

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/token"
)

// Claims are what a token says. The zero value is a new person in a new session, with no role and no permission, valid now.
type Claims struct {
	Subject     string // "": a new id
	SessionID   string // "": a new id
	OrgID       string // "": default
	Type        string // "": user
	TokenID     string // "": a UUIDv7 of IssuedAt
	Roles       []string
	Permissions []string
	IssuedAt    time.Time // zero: now
	ExpiresAt   time.Time // zero: 15 minutes after IssuedAt

	Extra  map[string]any // claims to add or replace; a nil value leaves the claim out
	Header map[string]any // header parameters to add or replace; likewise
}

// Sign makes a token that is signed with the current key.
func (i *Issuer) Sign(c Claims) string {
	i.t.Helper()
	return encode(i.t, i.header(c), i.payload(c), i.key().private)
}

// SignFor makes a token for the subject with these permissions.
func (i *Issuer) SignFor(subject string, permissions ...string) string {
	i.t.Helper()
	return i.Sign(Claims{Subject: subject, Permissions: permissions})
}

// SignUser makes a token of the role user, which has no permission.
func (i *Issuer) SignUser(subject string) string {
	i.t.Helper()
	return i.Sign(Claims{Subject: subject, Roles: []string{"user"}})
}

// SignSupport makes a token of the role support.
func (i *Issuer) SignSupport(subject string) string {
	i.t.Helper()
	return i.Sign(Claims{Subject: subject, Roles: []string{"support"}, Permissions: []string{
		"users:read", "sessions:read", "sessions:revoke", "notifications:read", "deliveries:read", "audit:read", "roles:read",
	}})
}

// SignAdmin makes a token of the role admin.
func (i *Issuer) SignAdmin(subject string) string {
	i.t.Helper()
	return i.Sign(Claims{Subject: subject, Roles: []string{"admin"}, Permissions: []string{
		"users:read", "users:write", "users:delete", "sessions:read", "sessions:revoke", "roles:read", "roles:write", "roles:assign",
		"notifications:read", "notifications:send", "deliveries:read", "deliveries:replay", "audit:read", "keys:rotate",
	}})
}

// ServiceClaims are what the token of a service says to the one that it is meant for.
func ServiceClaims(service, target string) Claims {
	return Claims{
		Subject: token.ServiceName(service),
		Type:    token.TypeService,
		Extra: map[string]any{
			"aud": []string{token.ServiceName(target)}, "sid": nil, "org_id": nil, "roles": nil, "scope": nil,
		},
	}
}

// SignService makes the token by which a service says to the target who it is.
func (i *Issuer) SignService(service, target string) string {
	i.t.Helper()
	return i.Sign(ServiceClaims(service, target))
}

// Identity is a service that calls others, as [op.Identity] wants it. Its tokens are new each time.
func (i *Issuer) Identity(service string) Identity { return Identity{issuer: i, service: service} }

// Identity says to those who are called who calls.
type Identity struct {
	issuer  *Issuer
	service string
}

// Token is a token that is meant for the target.
func (s Identity) Token(_ context.Context, target string) (string, error) {
	return s.issuer.SignService(s.service, target), nil
}

// Refused does nothing: the next token is another one anyway.
func (Identity) Refused(string, string) {}

func (i *Issuer) key() signingKey {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.current
}

func (i *Issuer) header(c Claims) map[string]any {
	return merge(map[string]any{"alg": string(i.alg), "kid": i.key().id, "typ": "at+jwt"}, c.Header)
}

func (i *Issuer) payload(c Claims) map[string]any {
	if c.IssuedAt.IsZero() {
		c.IssuedAt = i.clock()
	}
	if c.ExpiresAt.IsZero() {
		c.ExpiresAt = c.IssuedAt.Add(Lifetime)
	}
	if c.Roles == nil {
		c.Roles = []string{}
	}
	id := func() string { return TokenID(i.t, c.IssuedAt) }
	return merge(map[string]any{
		"iss":    i.URL,
		"sub":    orElse(c.Subject, id),
		"aud":    []string{Audience},
		"iat":    c.IssuedAt.Unix(),
		"exp":    c.ExpiresAt.Unix(),
		"jti":    orElse(c.TokenID, id),
		"sid":    orElse(c.SessionID, id),
		"org_id": orElse(c.OrgID, func() string { return "default" }),
		"type":   orElse(c.Type, func() string { return "user" }),
		"roles":  c.Roles,
		"scope":  strings.Join(c.Permissions, " "),
	}, c.Extra)
}

// TokenID is a new UUIDv7 of that instant.
func TokenID(t testing.TB, at time.Time) string {
	t.Helper()
	id, _, err := token.NewID(at, time.Time{})
	require.NoError(t, err)
	return id
}

func merge(defaults, changes map[string]any) map[string]any {
	maps.Copy(defaults, changes)
	maps.DeleteFunc(defaults, func(_ string, value any) bool { return value == nil })
	return defaults
}

func orElse(s string, fallback func() string) string {
	if s != "" {
		return s
	}
	return fallback()
}
