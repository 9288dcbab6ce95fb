package consumers

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/events"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/recipients"
	"github.com/atrium-mesh/atrium/services/notifications/internal/templates"
)

// accountVerified keeps that a person has proved to own their address, be it with the link of a sign-up, an invitation or a password
// reset, and welcomes them.
func (c consumers) accountVerified() events.Handler {
	return events.On(auth.AccountVerified, func(ctx context.Context, tx pgx.Tx, e events.Event[auth.AccountVerifiedData]) error {
		s := c.Store.WithTx(tx)
		if err := s.Verify(ctx, recipients.Verification{ID: e.Data.AccountID, OrgID: e.OrgID, At: e.Data.At}); err != nil {
			return err
		}
		return c.mail(ctx, s, notice{event: e.ID, org: e.OrgID, account: e.Data.AccountID, template: templates.Welcome})
	})
}
