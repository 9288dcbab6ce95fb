package consumers

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/events"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/deliveries"
	"github.com/atrium-mesh/atrium/services/notifications/internal/templates"
)

// sessionStarted tells a person that somebody signed in from where the account was not used before. Auth says when that was too often
// today, and which is the last that the person is told of.
func (c consumers) sessionStarted() events.Handler {
	return events.On(auth.SessionStarted, func(ctx context.Context, tx pgx.Tx, e events.Event[auth.SessionStartedData]) error {
		if !e.Data.NewDevice || e.Data.Quiet {
			return nil
		}
		return c.alert(ctx, tx, notice{
			event: e.ID, org: e.OrgID, account: e.Data.AccountID, template: templates.NewDevice,
			data: deliveries.Data{Device: e.Data.Device, IP: e.Data.IP, At: e.Data.At, LastNotice: e.Data.LastNotice},
		})
	})
}
