package consumers

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/events"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/recipients"
)

// rolesChanged keeps the copy of the roles that sends are addressed by.
func (c consumers) rolesChanged() events.Handler {
	return events.On(auth.RolesChanged, func(ctx context.Context, tx pgx.Tx, e events.Event[auth.RolesChangedData]) error {
		r, err := recipients.Roles{ID: e.Data.AccountID, OrgID: e.OrgID, Version: e.Data.Version, Roles: e.Data.Roles}.Parse()
		if err != nil {
			return err
		}
		return c.Store.WithTx(tx).UpdateRoles(ctx, r)
	})
}
