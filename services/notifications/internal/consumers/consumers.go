// Package consumers owns what notifications does when something happens elsewhere, one file an event. Each handler runs in the
// transaction that records the event as handled, so that its effect happens once; deliveries are unique by the event's id besides.
package consumers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/services/notifications/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/deliveries"
	"github.com/atrium-mesh/atrium/services/notifications/internal/notifications"
	"github.com/atrium-mesh/atrium/services/notifications/internal/store"
	"github.com/atrium-mesh/atrium/services/notifications/internal/templates"
)

// Config is what the handlers need.
type Config struct {
	Store     *store.Store
	Templates *templates.Set
	Clock     func() time.Time
}

type consumers struct{ Config }

// Handlers are all of them.
func Handlers(c Config) []events.Handler {
	h := consumers{c}
	return []events.Handler{
		h.accountRegistered(), h.accountVerified(), h.verificationRequested(), h.registrationAttempted(), h.passwordResetRequested(), h.passwordChanged(),
		h.sessionStarted(), h.sessionCompromised(), h.rolesChanged(), h.accountStandingChanged(),
		h.userUpdated(), h.userDeleted(),
	}
}

// notice is something that a person is to be told because of an event.
type notice struct {
	event    uuid.UUID
	org      string
	account  uuid.UUID
	template templates.Name
	data     deliveries.Data
}

// mail queues the mail of a notice.
func (c consumers) mail(ctx context.Context, tx *store.Tx, n notice) error {
	_, err := deliveries.Queue(ctx, tx, deliveries.Order{
		Cause: n.event, Template: n.template, Recipients: []deliveries.To{{ID: n.account, OrgID: n.org}}, Data: n.data, At: c.Clock().UTC(),
	})
	return err
}

// alert tells a notice by mail and in the app.
func (c consumers) alert(ctx context.Context, tx pgx.Tx, n notice) error {
	s := c.Store.WithTx(tx)
	to, err := s.Recipient(ctx, n.account)
	switch {
	case errors.Is(err, errs.NotFound):
		return errs.New(errs.NotFound, "recipient_not_found", "Nothing is known of the account.").WithCause(err)
	case err != nil:
		return fmt.Errorf("read the recipient: %w", err)
	case to.Erased:
		return nil
	}
	title, body, err := c.Templates.Brief(n.template, n.data.Words(to))
	if err != nil {
		return fmt.Errorf("write the notification: %w", err)
	}
	made, err := notifications.Tell(ctx, s, notifications.Telling{
		Cause: n.event, Recipients: []uuid.UUID{n.account}, Category: api.CategorySecurity, Title: title, Body: body,
		Data: map[string]any{"type": string(n.template)}, At: c.Clock().UTC(),
	})
	if err != nil {
		return err
	}
	if len(made) > 0 {
		if err := s.AnnounceLater(ctx, n.account); err != nil {
			return err
		}
	}
	return c.mail(ctx, s, n)
}
