package consumers

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/events"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/users/internal/store"
	"github.com/atrium-mesh/atrium/services/users/internal/users"
)

// accountRegistered makes the profile of a new account, unless the request that made the account was quicker.
func accountRegistered() events.Handler {
	return events.On(auth.AccountRegistered, func(ctx context.Context, tx pgx.Tx, e events.Event[auth.AccountRegisteredData]) error {
		n, err := users.NewUser{
			ID: e.Data.AccountID, Email: e.Data.Email, EmailVerified: e.Data.Verified,
			Profile: users.Profile{FullName: e.Data.FullName, Locale: e.Data.Locale}, Roles: e.Data.Roles, CreatedAt: e.Data.At,
		}.Parse("data")
		if err != nil { // auth has checked it, so that this is no event of auth's: a dead letter
			return err
		}
		return store.WithTx(tx).EnsureUser(ctx, n) // an account begins active, in the first version of its standing
	})
}
