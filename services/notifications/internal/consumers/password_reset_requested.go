package consumers

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/events"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/deliveries"
	"github.com/atrium-mesh/atrium/services/notifications/internal/templates"
)

// passwordResetRequested sends the link to choose a new password.
func (c consumers) passwordResetRequested() events.Handler {
	return events.On(auth.PasswordResetRequested, func(ctx context.Context, tx pgx.Tx, e events.Event[auth.AccountData]) error {
		return c.mail(ctx, c.Store.WithTx(tx), notice{
			event:    e.ID,
			org:      e.OrgID,
			account:  e.Data.AccountID,
			template: templates.Reset,
			data:     deliveries.Data{Generation: e.Data.Generation, NoPassword: e.Data.NoPassword},
		})
	})
}
