package consumers

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/events"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/users/internal/store"
	"github.com/atrium-mesh/atrium/services/users/internal/users"
)

// accountStandingChanged makes the status follow the account, when the request that changed it could not, or has not yet. Whoever is
// erased there goes here as well.
func accountStandingChanged(grace time.Duration) events.Handler {
	return events.On(auth.AccountStandingChanged, func(ctx context.Context, tx pgx.Tx, e events.Event[auth.AccountStandingChangedData]) error {
		_, err := users.Follow(ctx, store.WithTx(tx), users.Standing{
			Account: e.Data.AccountID,
			Is:      e.Data.Standing,
			Version: e.Data.Version,
			By:      e.Data.By,
			At:      e.Data.At,
			Grace:   grace,
		})
		return unlessErased(ctx, tx, e.Data.AccountID, err)
	})
}
