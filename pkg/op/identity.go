package op

import (
	"context"

	"github.com/go-kit/kit/endpoint"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
)

// Identity is how a service says who it is to those that it calls. The Source of package token is one.
type Identity interface {
	// Token says it to the target and to nobody else.
	Token(ctx context.Context, target string) (string, error)
	// Refused says that the target did not believe a token.
	Refused(target, token string)
}

// identified is middleware that says to the target who calls. It stands before the breaker: a token that is missing says nothing of
// the target. A token that was not believed, since a key was withdrawn a moment ago, is replaced once; nothing was done with it, and the
// breaker does not count it.
func identified(identity Identity, target string) endpoint.Middleware {
	return func(next endpoint.Endpoint) endpoint.Endpoint {
		if identity == nil {
			return next
		}
		call := func(ctx context.Context, req any) (any, error) {
			raw, err := identity.Token(ctx, target)
			if err != nil {
				return nil, err
			}
			out, err := next(context.WithValue(ctx, serviceTokenKey, raw), req)
			if refused(err) {
				identity.Refused(target, raw)
			}
			return out, err
		}
		return func(ctx context.Context, req any) (any, error) {
			out, err := call(ctx, req)
			if refused(err) && ctx.Err() == nil {
				out, err = call(ctx, req)
			}
			if refused(err) { // whoever called this service must not take it for a refusal of their own token
				return nil, away(err)
			}
			return out, err
		}
	}
}

func refused(err error) bool { return err != nil && errs.From(err).Code == authz.CodeServiceRefused }
