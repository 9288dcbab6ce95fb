package consumers

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/services/notifications/internal/recipients"
	users "github.com/atrium-mesh/atrium/services/users/api"
)

// userUpdated keeps the copy of the name, the locale and the time zone. The address that the event names is nobody's to believe: auth owns
// the address, and users has only a copy of it.
func (c consumers) userUpdated() events.Handler {
	return events.On(users.UserUpdated, func(ctx context.Context, tx pgx.Tx, e events.Event[users.UserUpdatedData]) error {
		p, err := recipients.Profile{
			ID: e.Data.UserID, OrgID: e.OrgID, Version: e.Data.Version, FullName: e.Data.FullName,
			Locale: e.Data.Locale, TimeZone: e.Data.TimeZone,
		}.Parse()
		if err != nil {
			return err
		}
		return c.Store.WithTx(tx).UpdateProfile(ctx, p)
	})
}
