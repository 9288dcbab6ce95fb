package identity

import (
	"context"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
)

// Caller is the account, and its session, that the request's token speaks for.
type Caller struct{ Account, Session uuid.UUID }

// CallerFrom is who is calling. It is errs.Unauthenticated for nobody, and errs.Forbidden for a token of another issuer, which no account
// stands behind.
func CallerFrom(ctx context.Context) (Caller, error) {
	who := authz.PrincipalFrom(ctx)
	if who == nil {
		return Caller{}, errs.New(errs.Unauthenticated, "token_missing", "Sign in first: this needs an access token.")
	}
	account, err := uuid.Parse(who.Subject)
	if err != nil {
		return Caller{}, notAnAccount()
	}
	session, err := uuid.Parse(who.SessionID)
	if err != nil {
		return Caller{}, notAnAccount()
	}
	return Caller{Account: account, Session: session}, nil
}

func notAnAccount() error {
	return errs.New(errs.Forbidden, "not_an_account", "This token does not belong to an account here.")
}
