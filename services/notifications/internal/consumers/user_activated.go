package consumers

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/services/notifications/internal/recipients"
	users "github.com/atrium-mesh/atrium/services/users/api"
)

// userActivated lets messages reach a person again.
func (c consumers) userActivated() events.Handler {
	return events.On(users.UserActivated, func(ctx context.Context, tx pgx.Tx, e events.Event[users.UserStatusData]) error {
		return c.Store.WithTx(tx).UpdateStatus(ctx, recipients.Status{ID: e.Data.UserID, OrgID: e.OrgID, Version: e.Data.Version, Active: true})
	})
}
