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

// accountStandingChanged keeps messages from a person who is kept out, those that wait among them, but for the one that tells them so; tells
// one who may come in again; and forgets one who is erased. It is auth's to say, not users': whoever could forge it could silence the mails
// about an account.
func (c consumers) accountStandingChanged() events.Handler {
	return events.On(auth.AccountStandingChanged, func(ctx context.Context, tx pgx.Tx, e events.Event[auth.AccountStandingChangedData]) error {
		s := c.Store.WithTx(tx)
		if e.Data.Standing == auth.StandingErased {
			return s.Erase(ctx, e.Data.AccountID, e.OrgID)
		}
		err := s.UpdateStatus(ctx, recipients.Status{
			ID:      e.Data.AccountID,
			OrgID:   e.OrgID,
			Version: e.Data.Version,
			Active:  e.Data.Standing == auth.StandingActive,
		})
		if err != nil {
			return err
		}
		template, ok := standingNotice(e.Data.Cause)
		if !ok {
			return nil
		}
		return c.alert(ctx, tx, notice{
			event: e.ID, org: e.OrgID, account: e.Data.AccountID, template: template,
			data: deliveries.Data{
				By:       whoOf(e.Data.By, e.Data.AccountID),
				At:       e.Data.At,
				Inactive: e.Data.Standing == auth.StandingDisabled,
			},
		})
	})
}

// standingNotice is what tells of a change of the standing. Of an erasure nothing tells: nobody is left to be told, and the deletion said
// when it would be.
func standingNotice(cause auth.Verb) (templates.Name, bool) {
	switch cause {
	case auth.VerbDelete:
		return templates.AccountDeleted, true
	case auth.VerbDeactivate:
		return templates.AccountDeactivated, true
	case auth.VerbActivate:
		return templates.AccountActivated, true
	case auth.VerbRestore:
		return templates.AccountRestored, true
	case auth.VerbEdit, auth.VerbAssignRoles, auth.VerbEndSessions, auth.VerbErase:
	}
	return "", false
}
