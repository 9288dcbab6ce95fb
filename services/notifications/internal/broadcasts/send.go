package broadcasts

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/idempotency"
	"github.com/atrium-mesh/atrium/services/notifications/api"
)

// Send implements [api.SendNotification].
func (s *Service) Send(ctx context.Context, in *api.SendNotificationRequest) (*api.SendResponse, error) {
	asked, err := parse(in.Body, s.clock())
	if err != nil {
		return nil, err
	}
	who := cmp.Or(authz.PrincipalFrom(ctx), &authz.Principal{Subject: "system", OrgID: "default"})
	hash, err := idempotency.HashOf(in.Body)
	if err != nil {
		return nil, err
	}
	key := idempotency.Key{Scope: api.SendNotification.OperationID + ":" + who.Subject, Key: in.IdempotencyKey, Hash: hash}
	var accepted api.NotificationSend
	err = s.inTx(ctx, func(tx Tx) error {
		var err error
		accepted, err = tx.SendOnce(ctx, key, func() (api.NotificationSend, error) { return s.accept(ctx, tx, asked, who) })
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("accept a send: %w", err)
	}
	return response(accepted), nil
}

func (s *Service) accept(ctx context.Context, tx Tx, in api.NewSend, who *authz.Principal) (api.NotificationSend, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return api.NotificationSend{}, fmt.Errorf("make a send's id: %w", err)
	}
	now := s.clock().UTC().Truncate(time.Microsecond)
	send := Send{OrgID: cmp.Or(who.OrgID, "default"), Body: in.Body, Data: in.Data, NotificationSend: api.NotificationSend{
		ID: id, State: api.SendScheduled, To: distinct(in.To), Category: in.Category, Title: in.Title,
		Channels: channels(in.Channels), SendAt: now, CreatedAt: now, CreatedBy: who.Subject,
	}}
	if in.SendAt != nil && in.SendAt.After(now) {
		send.SendAt = in.SendAt.UTC().Truncate(time.Microsecond)
	}
	if ids := send.To.UserIDs; len(ids) > 0 {
		known, err := tx.CountActive(ctx, send.OrgID, ids)
		if err != nil {
			return api.NotificationSend{}, fmt.Errorf("count recipients: %w", err)
		}
		send.Counts.Unknown = int64(len(ids)) - known
	}
	if err := tx.InsertSend(ctx, send); err != nil {
		return api.NotificationSend{}, fmt.Errorf("insert a send: %w", err)
	}
	return send.NotificationSend, nil
}

// distinct drops what is named twice.
func distinct(to api.SendAudience) api.SendAudience {
	ids := slices.Clone(to.UserIDs)
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	roles := slices.Clone(to.Roles)
	slices.Sort(roles)
	return api.SendAudience{UserIDs: slices.Compact(ids), Roles: slices.Compact(roles), Everyone: to.Everyone}
}

func channels(chosen []api.Channel) []api.Channel {
	if len(chosen) == 0 {
		return api.Channels()
	}
	return chosen
}

// Get implements [api.GetSend].
func (s *Service) Get(ctx context.Context, in *api.GetSendRequest) (*api.SendResponse, error) {
	id, err := uuid.Parse(in.ID)
	if err != nil {
		return nil, notFound(errs.NotFound)
	}
	send, err := s.reader.Send(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read a send: %w", notFound(err))
	}
	return response(send.NotificationSend), nil
}

// Cancel implements [api.CancelSend].
func (s *Service) Cancel(ctx context.Context, in *api.CancelSendRequest) (*api.SendResponse, error) {
	id, err := uuid.Parse(in.ID)
	if err != nil {
		return nil, notFound(errs.NotFound)
	}
	var send Send
	err = s.inTx(ctx, func(tx Tx) error {
		if send, err = tx.LockSend(ctx, id); err != nil {
			return notFound(err)
		}
		switch send.State {
		case api.SendCanceled:
			return nil
		case api.SendSent:
			return errs.New(errs.Conflict, "send_finished", "Everybody has been told already.")
		default:
			now := s.clock().UTC()
			send.State, send.FinishedAt = api.SendCanceled, &now
			return tx.UpdateSend(ctx, send)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("cancel a send: %w", err)
	}
	return response(send.NotificationSend), nil
}

func response(send api.NotificationSend) *api.SendResponse {
	return &api.SendResponse{Location: strings.Replace(api.GetSend.Path, "{id}", send.ID.String(), 1), Body: send}
}
