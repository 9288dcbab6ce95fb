package consumers

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/events"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/users/internal/store"
	"github.com/atrium-mesh/atrium/services/users/internal/store/db"
)

// accountVerified makes a pending user active.
func accountVerified(clock func() time.Time) events.Handler {
	return events.On(auth.AccountVerified, func(ctx context.Context, tx pgx.Tx, e events.Event[auth.AccountVerifiedData]) error {
		return store.WithTx(tx).MarkVerified(ctx, db.MarkVerifiedParams{ID: e.Data.AccountID, Email: e.Data.Email, Now: clock()})
	})
}
