package consumers

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/services/notifications/internal/recipients"
	users "github.com/atrium-mesh/atrium/services/users/api"
)

// userDeleted keeps when a person will be erased, which the mail about the deletion tells. That they are deleted is auth's to say.
func (c consumers) userDeleted() events.Handler {
	return events.On(users.UserDeleted, func(ctx context.Context, tx pgx.Tx, e events.Event[users.UserDeletedData]) error {
		return c.Store.WithTx(tx).SetErasure(ctx, recipients.Erasure{ID: e.Data.UserID, At: e.Data.EraseAt})
	})
}
