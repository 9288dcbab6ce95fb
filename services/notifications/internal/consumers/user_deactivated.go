package consumers

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/services/notifications/internal/recipients"
	users "github.com/atrium-mesh/atrium/services/users/api"
)

// userDeactivated keeps messages from a person, those that wait among them.
func (c consumers) userDeactivated() events.Handler {
	return events.On(users.UserDeactivated, func(ctx context.Context, tx pgx.Tx, e events.Event[users.UserStatusData]) error {
		return c.Store.WithTx(tx).UpdateStatus(ctx, recipients.Status{ID: e.Data.UserID, OrgID: e.OrgID, Version: e.Data.Version, Active: false})
	})
}
