package token

import (
	"context"
	"errors"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
)

const (
	// ServicePrefix begins the subject of a service's token, and the audience of one that is meant for a service. No account's id
	// begins so, nor the subject of a further issuer as [authz.Principal] has it.
	ServicePrefix = "service:"

	// TypeService is the type claim of a token that speaks for a service.
	TypeService = "service"
)

// ServiceName is the sub of a service's tokens, and the aud of those that are meant for it: "service:users".
func ServiceName(service string) string { return ServicePrefix + service }

// trimService is the service that a sub or an aud names, or "" when it names none.
func trimService(name string) string {
	service, ok := strings.CutPrefix(name, ServicePrefix)
	if !ok {
		return ""
	}
	return service
}

// VerifyService returns the name of the service that the token speaks for: "users". The token must be signed by our own issuer for
// the service whose verifier this is, so that nobody can pass on one that they were shown. A person's token is none.
//
// It answers [errs.Unavailable], with [authz.CodeServiceRefused] for a token that is not believed, and the error of ctx.
func (v *Verifier) VerifyService(ctx context.Context, raw string) (string, error) {
	principal, _, err := v.verify(ctx, v.services, raw)
	if err != nil {
		return "", errService(err)
	}
	return trimService(principal.Subject), nil
}

func errService(cause error) error {
	if !errors.Is(cause, errs.Unauthenticated) {
		return cause
	}
	return errs.New(errs.Unavailable, authz.CodeServiceRefused, "A part of the service cannot show who it is for a moment; try again.").
		WithRetryAfter(retryAfter).WithCause(cause)
}

// forServices is the same issuer, with the same keys, for tokens that speak for services and are meant for this one.
func (t *trusted) forServices(service string) *trusted {
	own := *t
	own.Audience, own.services = ServiceName(service), true
	own.oidc = &oidc.Config{ClientID: own.Audience, SupportedSigningAlgs: own.algorithms, Now: t.oidc.Now}
	return &own
}

// checkBearer keeps people and services apart by what the token says of itself, beside its audience.
func (p *parsed) checkBearer(c ownClaims) error {
	switch {
	case p.issuer.services && (trimService(p.claims.Subject) == "" || c.Type != TypeService):
		return errors.New("not a service's token")
	case !p.issuer.services && (strings.HasPrefix(p.claims.Subject, ServicePrefix) || c.Type == TypeService):
		return errors.New("a service's token")
	default:
		return nil
	}
}
