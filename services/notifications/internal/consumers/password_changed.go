package consumers

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/events"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/deliveries"
	"github.com/atrium-mesh/atrium/services/notifications/internal/templates"
)

// passwordChanged tells a person that their password is another one now.
func (c consumers) passwordChanged() events.Handler {
	return events.On(auth.PasswordChanged, func(ctx context.Context, tx pgx.Tx, e events.Event[auth.PasswordChangedData]) error {
		return c.alert(ctx, tx, notice{
			event: e.ID, org: e.OrgID, account: e.Data.AccountID, template: templates.PasswordChanged,
			data: deliveries.Data{Device: e.Data.Device, IP: e.Data.IP, At: e.Data.At},
		})
	})
}
