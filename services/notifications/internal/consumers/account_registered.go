package consumers

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/events"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/recipients"
	"github.com/atrium-mesh/atrium/services/notifications/internal/templates"
)

// accountRegistered makes the recipient, and sends the first mail: to confirm the address, or to accept the invitation.
func (c consumers) accountRegistered() events.Handler {
	return events.On(auth.AccountRegistered, func(ctx context.Context, tx pgx.Tx, e events.Event[auth.AccountRegisteredData]) error {
		s := c.Store.WithTx(tx)
		r, err := recipients.Registration{
			ID: e.Data.AccountID, OrgID: e.OrgID, Email: e.Data.Email, FullName: e.Data.FullName, Locale: e.Data.Locale, Roles: e.Data.Roles,
		}.Parse()
		if err != nil {
			return err
		}
		if e.Data.Verified {
			r.Verified = &e.Data.At
		}
		if err := s.Register(ctx, r); err != nil {
			return err
		}
		n := notice{event: e.ID, org: e.OrgID, account: e.Data.AccountID}
		switch {
		case e.Data.Unmailed:
			return nil
		case e.Data.Origin == auth.OriginInvitation:
			n.template = templates.Invitation
		case e.Data.Origin == auth.OriginSignUp && !e.Data.Verified:
			n.template = templates.Verification
		default:
			return nil
		}
		return c.mail(ctx, s, n)
	})
}
