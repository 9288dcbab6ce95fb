package authz

import (
	"context"
	"slices"
	"time"
)

// Principal is who a verified token speaks for. It is read-only once made.
type Principal struct {
	Subject     string    // sub: the account's id; of a further issuer, "issuer|sub", which is never an id of ours
	SessionID   string    // sid
	OrgID       string    // org_id
	TokenID     string    // jti
	KeyID       string    // the key that signed a token of our own, as watermarks name it: see token.KeyID
	Issuer      string    // iss
	Type        string    // "user"; "external" for a token of a further issuer
	Roles       []string  // roles
	Permissions []string  // scope
	IssuedAt    time.Time // to the millisecond for tokens of our own
	ExpiresAt   time.Time // exp
}

// Can reports whether the principal holds the permission. It is false for nil.
func (p *Principal) Can(permission string) bool {
	return p != nil && slices.Contains(p.Permissions, permission)
}

type contextKey int

const principalKey contextKey = iota

// WithPrincipal says in ctx who is calling.
func WithPrincipal(ctx context.Context, p *Principal) context.Context {
	return context.WithValue(ctx, principalKey, p)
}

// PrincipalFrom is who is calling, or nil when nobody has signed in.
func PrincipalFrom(ctx context.Context) *Principal {
	p, _ := ctx.Value(principalKey).(*Principal)
	return p
}
