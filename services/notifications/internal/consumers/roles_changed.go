package consumers

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/events"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/deliveries"
	"github.com/atrium-mesh/atrium/services/notifications/internal/recipients"
	"github.com/atrium-mesh/atrium/services/notifications/internal/templates"
)

// rolesChanged keeps the copy of the roles that sends are addressed by, and tells the person of those that were given and taken. An event
// from before these were said in it tells nothing.
func (c consumers) rolesChanged() events.Handler {
	return events.On(auth.RolesChanged, func(ctx context.Context, tx pgx.Tx, e events.Event[auth.RolesChangedData]) error {
		r, err := recipients.Roles{ID: e.Data.AccountID, OrgID: e.OrgID, Version: e.Data.Version, Roles: e.Data.Roles}.Parse()
		if err != nil {
			return err
		}
		if err := c.Store.WithTx(tx).UpdateRoles(ctx, r); err != nil || len(e.Data.Added)+len(e.Data.Removed) == 0 {
			return err
		}
		return c.alert(ctx, tx, notice{
			event: e.ID, org: e.OrgID, account: e.Data.AccountID, template: templates.RolesChanged,
			data: deliveries.Data{
				By:      whoOf(e.Data.By, e.Data.AccountID),
				At:      e.Data.At,
				Added:   e.Data.Added,
				Removed: e.Data.Removed,
			},
		})
	})
}
