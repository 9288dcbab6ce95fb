package consumers

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/services/notifications/internal/deliveries"
	"github.com/atrium-mesh/atrium/services/notifications/internal/recipients"
	"github.com/atrium-mesh/atrium/services/notifications/internal/templates"
	users "github.com/atrium-mesh/atrium/services/users/api"
)

// userUpdated keeps the copy of the name, the locale and the time zone, and tells the person when somebody else changed the name. The
// address that the event names is nobody's to believe: auth owns the address, and users has only a copy of it.
func (c consumers) userUpdated() events.Handler {
	return events.On(users.UserUpdated, func(ctx context.Context, tx pgx.Tx, e events.Event[users.UserUpdatedData]) error {
		p, err := recipients.Profile{
			ID: e.Data.UserID, OrgID: e.OrgID, Version: e.Data.Version, FullName: e.Data.FullName,
			Locale: e.Data.Locale, TimeZone: e.Data.TimeZone,
		}.Parse()
		if err != nil {
			return err
		}
		s := c.Store.WithTx(tx)
		before, err := s.Recipient(ctx, e.Data.UserID)
		if err != nil && !errors.Is(err, errs.NotFound) {
			return fmt.Errorf("read the recipient: %w", err)
		}
		if err := s.UpdateProfile(ctx, p); err != nil || whoOf(e.Actor, e.Data.UserID) != templates.ByAdministrator {
			return err
		}
		after, err := s.Recipient(ctx, e.Data.UserID)
		if err != nil {
			return fmt.Errorf("read the recipient: %w", err)
		}
		if before.FullName == "" || before.FullName == after.FullName { // not known before, or something else changed
			return nil
		}
		return c.alert(ctx, tx, notice{
			event: e.ID, org: e.OrgID, account: e.Data.UserID, template: templates.NameChanged,
			data: deliveries.Data{By: templates.ByAdministrator, At: e.Time},
		})
	})
}
