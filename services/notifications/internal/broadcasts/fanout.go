package broadcasts

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/services/notifications/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/deliveries"
	"github.com/atrium-mesh/atrium/services/notifications/internal/notifications"
	"github.com/atrium-mesh/atrium/services/notifications/internal/preferences"
	"github.com/atrium-mesh/atrium/services/notifications/internal/templates"
)

// BatchSize is how many people are told in one transaction.
const BatchSize = 500

// FanOut tells the next batch of a send's audience. It reports whether the send is finished.
func (s *Service) FanOut(ctx context.Context, id uuid.UUID) (finished bool, err error) {
	var made []notifications.Made
	err = s.inTx(ctx, func(tx Tx) error {
		send, err := tx.LockSend(ctx, id)
		if err != nil {
			return err
		}
		if send.State == api.SendSent || send.State == api.SendCanceled {
			finished = true
			return nil
		}
		made, finished, err = s.batch(events.WithActor(ctx, send.OrgID, send.CreatedBy), tx, send)
		return err
	})
	switch {
	case errs.KindOf(err) == errs.NotFound:
		return true, nil // purged
	case err != nil:
		return false, fmt.Errorf("fan out: %w", err)
	}
	told := make([]uuid.UUID, len(made))
	for i, m := range made {
		told[i] = m.Recipient
	}
	s.announce.Announce(ctx, told...)
	return finished, nil
}

func (s *Service) batch(ctx context.Context, tx Tx, send Send) ([]notifications.Made, bool, error) {
	members, err := tx.Audience(ctx, send, BatchSize)
	if err != nil {
		return nil, false, fmt.Errorf("read the audience: %w", err)
	}
	inApp, byMail := split(send, members)
	now := s.clock().UTC()
	made, err := notifications.Tell(ctx, tx, notifications.Telling{
		Cause: send.ID, Recipients: inApp, Category: send.Category, Title: send.Title, Body: send.Body, Data: send.Data, At: now,
	})
	if err != nil {
		return nil, false, err
	}
	mailed, err := deliveries.Queue(ctx, tx, deliveries.Order{
		Cause: send.ID, Template: templates.Notification, Category: send.Category, Recipients: byMail,
		Data: deliveries.Data{SendID: send.ID}, At: now,
	})
	if err != nil {
		return nil, false, err
	}
	send.State = api.SendSending
	send.Counts.Recipients += int64(len(members))
	send.Counts.Notified += int64(len(made))
	send.Counts.Mailed += int64(mailed)
	send.Counts.Skipped += int64(untold(members, inApp, byMail))
	finished := len(members) < BatchSize
	if len(members) > 0 {
		send.Cursor = members[len(members)-1].ID
	}
	if finished {
		send.State, send.FinishedAt = api.SendSent, &now
		if n := len(send.To.UserIDs); n > 0 {
			send.Counts.Unknown = int64(n) - send.Counts.Recipients
		}
	}
	return made, finished, tx.UpdateSend(ctx, send)
}

// split says who is told where: on the channels of the send that they have not turned off, by e-mail once they have proved to own the
// address.
func split(send Send, members []Member) (inApp []uuid.UUID, byMail []deliveries.To) {
	for _, m := range members {
		if slices.Contains(send.Channels, api.ChannelInApp) && preferences.Allows(send.Category, m.InApp) {
			inApp = append(inApp, m.ID)
		}
		if slices.Contains(send.Channels, api.ChannelEmail) && m.mailable(send.Category) && preferences.Allows(send.Category, m.Email) {
			byMail = append(byMail, deliveries.To{ID: m.ID, OrgID: m.OrgID})
		}
	}
	return inApp, byMail
}

func (m Member) mailable(category api.Category) bool {
	return m.HasAddress && (m.Verified || !preferences.NeedsProof(category))
}

// untold is how many of the members are told nothing.
func untold(members []Member, inApp []uuid.UUID, byMail []deliveries.To) int {
	told := map[uuid.UUID]struct{}{}
	for _, id := range inApp {
		told[id] = struct{}{}
	}
	for _, to := range byMail {
		told[to.ID] = struct{}{}
	}
	return len(members) - len(told)
}
