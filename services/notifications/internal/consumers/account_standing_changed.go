package consumers

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/events"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/recipients"
)

// accountStandingChanged keeps messages from a person who is kept out, those that wait among them, and forgets one who is erased. It is auth's
// to say, not users': whoever could forge it could silence the mails about an account.
func (c consumers) accountStandingChanged() events.Handler {
	return events.On(auth.AccountStandingChanged, func(ctx context.Context, tx pgx.Tx, e events.Event[auth.AccountStandingChangedData]) error {
		if e.Data.Standing == auth.StandingErased {
			return c.Store.WithTx(tx).Erase(ctx, e.Data.AccountID, e.OrgID)
		}
		return c.Store.WithTx(tx).UpdateStatus(ctx, recipients.Status{
			ID:      e.Data.AccountID,
			OrgID:   e.OrgID,
			Version: e.Data.Version,
			Active:  e.Data.Standing == auth.StandingActive,
		})
	})
}
