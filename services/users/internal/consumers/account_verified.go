package consumers

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/events"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/users/internal/store"
)

// accountVerified makes a pending user active.
func accountVerified(clock func() time.Time) events.Handler {
	return events.On(auth.AccountVerified, func(ctx context.Context, tx pgx.Tx, e events.Event[auth.AccountVerifiedData]) error {
		return store.WithTx(tx).MarkVerified(ctx, e.Data.AccountID, e.Data.Email, clock())
	})
}
