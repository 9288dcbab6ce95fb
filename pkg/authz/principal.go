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

const (
	principalKey contextKey = iota
	serviceKey
)

// CodeServiceRefused is the code of errs.Unavailable when a service's own token is not believed: it asks auth for another one. It is not
// errs.Unauthenticated, since the person for whom the call is has done nothing wrong and must not sign in again.
const CodeServiceRefused = "service_identity_refused"

// Caller is who makes a call: the person for whom it is, and the service that makes the hop. Either may be missing, which grants
// nothing.
type Caller struct {
	Principal *Principal // nil: nobody has signed in
	Service   string     // "users"; "": no service has said who it is
}

// CallerFrom is who makes the call that ctx belongs to.
func CallerFrom(ctx context.Context) Caller {
	return Caller{Principal: PrincipalFrom(ctx), Service: ServiceFrom(ctx)}
}

// WithPrincipal says in ctx who is calling.
func WithPrincipal(ctx context.Context, p *Principal) context.Context {
	return context.WithValue(ctx, principalKey, p)
}

// PrincipalFrom is who is calling, or nil when nobody has signed in.
func PrincipalFrom(ctx context.Context) *Principal {
	p, _ := ctx.Value(principalKey).(*Principal)
	return p
}

// WithService says in ctx which service made the hop, after its token was verified.
func WithService(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, serviceKey, name)
}

// ServiceFrom is the verified name of the service that made the hop, or "" when none has said who it is.
func ServiceFrom(ctx context.Context) string {
	name, _ := ctx.Value(serviceKey).(string)
	return name
}
