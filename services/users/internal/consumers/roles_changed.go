package consumers

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/events"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/users/internal/store"
)

// rolesChanged keeps the copy of the roles that lists filter by. An older version never replaces a newer one.
func rolesChanged(clock func() time.Time) events.Handler {
	return events.On(auth.RolesChanged, func(ctx context.Context, tx pgx.Tx, e events.Event[auth.RolesChangedData]) error {
		if err := auth.CheckRoles("data.roles", e.Data.Roles); err != nil {
			return err
		}
		records := store.WithTx(tx)
		if _, err := records.LockUser(ctx, e.Data.AccountID); err != nil {
			return unlessErased(ctx, tx, e.Data.AccountID, err)
		}
		return records.SetRoles(ctx, e.Data.AccountID, e.Data.Roles, e.Data.Version, clock())
	})
}
