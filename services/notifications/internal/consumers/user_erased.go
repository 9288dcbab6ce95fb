package consumers

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/events"
	users "github.com/atrium-mesh/atrium/services/users/api"
)

// userErased removes everything personal.
func (c consumers) userErased() events.Handler {
	return events.On(users.UserErased, func(ctx context.Context, tx pgx.Tx, e events.Event[users.UserErasedData]) error {
		return c.Store.WithTx(tx).Erase(ctx, e.Data.UserID, e.OrgID)
	})
}
