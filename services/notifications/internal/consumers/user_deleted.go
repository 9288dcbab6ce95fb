package consumers

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/services/notifications/internal/recipients"
	users "github.com/atrium-mesh/atrium/services/users/api"
)

// userDeleted keeps messages from a person who may still be restored.
func (c consumers) userDeleted() events.Handler {
	return events.On(users.UserDeleted, func(ctx context.Context, tx pgx.Tx, e events.Event[users.UserDeletedData]) error {
		return c.Store.WithTx(tx).UpdateStatus(ctx, recipients.Status{ID: e.Data.UserID, OrgID: e.OrgID, Version: e.Data.Version, Active: false})
	})
}
