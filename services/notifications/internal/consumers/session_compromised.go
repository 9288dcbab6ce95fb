package consumers

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/events"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/deliveries"
	"github.com/atrium-mesh/atrium/services/notifications/internal/templates"
)

// sessionCompromised tells a person that a session was ended because its key may have been copied.
func (c consumers) sessionCompromised() events.Handler {
	return events.On(auth.SessionCompromised, func(ctx context.Context, tx pgx.Tx, e events.Event[auth.SessionCompromisedData]) error {
		return c.alert(ctx, tx, notice{
			event: e.ID, org: e.OrgID, account: e.Data.AccountID, template: templates.SessionCompromised,
			data: deliveries.Data{Device: e.Data.Device, IP: e.Data.IP, At: e.Data.At},
		})
	})
}
