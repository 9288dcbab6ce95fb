package notifications

import (
	"context"
	"fmt"
	"math"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/page"
	"github.com/atrium-mesh/atrium/services/notifications/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/recipients"
)

// List implements [api.ListNotifications].
func (s *Service) List(ctx context.Context, in *api.ListNotificationsRequest) (*api.ListNotificationsResponse, error) {
	id, err := recipients.Caller(ctx)
	if err != nil {
		return nil, err
	}
	return s.list(ctx, id, in.Query, in.NotificationFilter)
}

// ListOf implements [api.ListUserNotifications].
func (s *Service) ListOf(ctx context.Context, in *api.ListUserNotificationsRequest) (*api.ListNotificationsResponse, error) {
	id, err := uuid.Parse(in.ID)
	if err != nil {
		return nil, recipients.ErrNotFound()
	}
	if who := authz.PrincipalFrom(ctx); who == nil || who.Subject != id.String() { // one's own list is empty before one is known here
		known, err := s.store.KnowsRecipient(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("look up the recipient: %w", err)
		}
		if !known {
			return nil, recipients.ErrNotFound()
		}
	}
	return s.list(ctx, id, in.Query, in.NotificationFilter)
}

func (s *Service) list(ctx context.Context, recipient uuid.UUID, q page.Query, f api.NotificationFilter) (*api.ListNotificationsResponse, error) {
	q = q.Normalize()
	scope := fmt.Sprintf("notifications:%s:%t:%s", recipient, f.Unread, f.Category)
	query := ListQuery{Recipient: recipient, Filter: f, Before: math.MaxInt64, Limit: q.Limit() + 1, Offset: q.Offset()}
	if q.Cursor != "" {
		if err := s.cursors.Decode(scope, q.Cursor, &query.Before); err != nil {
			return nil, err
		}
	}
	items, err := s.store.ListNotifications(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("list notifications: %w", err)
	}
	total, err := s.store.CountNotifications(ctx, recipient, f)
	if err != nil {
		return nil, fmt.Errorf("count notifications: %w", err)
	}
	next := ""
	if len(items) > q.PageSize {
		items = items[:q.PageSize]
		if next, err = s.cursors.Encode(scope, items[len(items)-1].Seq); err != nil {
			return nil, err
		}
	}
	answer := page.Map(page.New(q, items, total, next), func(i Item) api.Notification { return i.Notification })
	return &api.ListNotificationsResponse{Body: api.NotificationPage(answer)}, nil
}

// CountUnread implements [api.CountUnread].
func (s *Service) CountUnread(ctx context.Context, _ *api.CountUnreadRequest) (*api.CountUnreadResponse, error) {
	id, err := recipients.Caller(ctx)
	if err != nil {
		return nil, err
	}
	unread, err := s.store.CountUnread(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("count unread notifications: %w", err)
	}
	return &api.CountUnreadResponse{Body: api.UnreadCount{Unread: unread}}, nil
}

// notFound gives a missing row the code of this noun.
func notFound(err error) error {
	if errs.KindOf(err) == errs.NotFound {
		return errNotFound(err)
	}
	return err
}
