package consumers

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/events"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/deliveries"
	"github.com/atrium-mesh/atrium/services/notifications/internal/templates"
)

// registrationAttempted tells the owner of an address that somebody tried to sign up with it: whoever tried was told nothing.
func (c consumers) registrationAttempted() events.Handler {
	return events.On(auth.RegistrationAttempted, func(ctx context.Context, tx pgx.Tx, e events.Event[auth.RegistrationAttemptedData]) error {
		template := templates.AccountExists
		if e.Data.Closed {
			template = templates.AccountClosed
		}
		return c.mail(ctx, c.Store.WithTx(tx), notice{
			event:    e.ID,
			org:      e.OrgID,
			account:  e.Data.AccountID,
			template: template,
			data:     deliveries.Data{Device: e.Data.Device, IP: e.Data.IP, At: e.Data.At, Generation: e.Data.Generation},
		})
	})
}
