package notifications

import (
	"context"
	"fmt"
	"math"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/services/notifications/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/recipients"
)

// Read implements [api.ReadNotification].
func (s *Service) Read(ctx context.Context, in *api.ReadNotificationRequest) (*api.ReadNotificationResponse, error) {
	recipient, err := recipients.Caller(ctx)
	if err != nil {
		return nil, err
	}
	id, err := uuid.Parse(in.ID)
	if err != nil {
		return nil, errNotFound(err)
	}
	item, err := s.store.ReadNotification(ctx, recipient, id)
	if err != nil {
		return nil, fmt.Errorf("mark a notification as read: %w", notFound(err))
	}
	s.announce.Announce(ctx, recipient)
	return &api.ReadNotificationResponse{Body: item.Notification}, nil
}

// ReadAll implements [api.ReadAllNotifications].
func (s *Service) ReadAll(ctx context.Context, in *api.ReadAllNotificationsRequest) (*api.ReadAllNotificationsResponse, error) {
	recipient, err := recipients.Caller(ctx)
	if err != nil {
		return nil, err
	}
	upTo := int64(math.MaxInt64)
	if in.Body != nil && in.Body.UpTo != "" {
		id, err := uuid.Parse(in.Body.UpTo)
		if err != nil {
			return nil, errNotFound(err)
		}
		if upTo, err = s.store.SeqOf(ctx, recipient, id); err != nil {
			return nil, fmt.Errorf("look up the notification: %w", notFound(err))
		}
	}
	read, err := s.store.ReadUpTo(ctx, recipient, upTo)
	if err != nil {
		return nil, fmt.Errorf("mark notifications as read: %w", err)
	}
	unread, err := s.store.CountUnread(ctx, recipient)
	if err != nil {
		return nil, fmt.Errorf("count unread notifications: %w", err)
	}
	if read > 0 {
		s.announce.Announce(ctx, recipient)
	}
	return &api.ReadAllNotificationsResponse{Body: api.NotificationsRead{Read: read, Unread: unread}}, nil
}
