// Package notifications owns what people are told in the app: making notifications, listing and counting them, and marking them as read.
// A person's notifications are numbered in the order in which they were committed, so that a reader who says which one he saw last can
// be given exactly those after it.
package notifications

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/page"
	"github.com/atrium-mesh/atrium/services/notifications/api"
)

// Item is a notification with its number among those of its recipient.
type Item struct {
	api.Notification
	Seq int64
}

// ListQuery asks for some of a recipient's notifications, newest first.
type ListQuery struct {
	Recipient uuid.UUID
	Filter    api.NotificationFilter
	Before    int64 // only those with a lower number
	Limit     int32
	Offset    int64
}

// Store keeps notifications.
type Store interface {
	ListNotifications(ctx context.Context, q ListQuery) ([]Item, error)
	CountNotifications(ctx context.Context, recipient uuid.UUID, f api.NotificationFilter) (int64, error)
	CountUnread(ctx context.Context, recipient uuid.UUID) (int64, error)
	// ReadNotification marks one as read; errs.NotFound when the recipient has no such notification.
	ReadNotification(ctx context.Context, recipient, id uuid.UUID) (Item, error)
	// ReadUpTo marks those up to a number as read, and returns how many were not.
	ReadUpTo(ctx context.Context, recipient uuid.UUID, seq int64) (int64, error)
	// SeqOf is the number of a notification; errs.NotFound when the recipient has no such notification.
	SeqOf(ctx context.Context, recipient, id uuid.UUID) (int64, error)
	KnowsRecipient(ctx context.Context, id uuid.UUID) (bool, error)
}

// Announcer tells the open streams of these recipients, at every replica, that there is something new to read. It is called after the
// change was committed; whatever it loses is found by the streams' own look at the table.
type Announcer interface {
	Announce(ctx context.Context, recipients ...uuid.UUID)
}

// Service implements the operations on a person's notifications.
type Service struct {
	store    Store
	announce Announcer
	cursors  *page.Cursors
}

// New makes the service.
func New(store Store, announce Announcer, cursors *page.Cursors) *Service {
	return &Service{store: store, announce: announce, cursors: cursors}
}

// Telling is something to tell to several people.
type Telling struct {
	Cause      uuid.UUID // the event or the send; nobody is told twice of one cause
	Recipients []uuid.UUID
	Category   api.Category
	Title      string
	Body       string
	Data       map[string]any
	At         time.Time
}

// Tx makes notifications within a transaction.
type Tx interface {
	// InsertNotifications makes one for each recipient who is there and has none of this cause. Ids are parallel to t.Recipients.
	InsertNotifications(ctx context.Context, t Telling, ids []uuid.UUID) ([]Made, error)
	// PublishNotificationCreated tells other services.
	PublishNotificationCreated(ctx context.Context, data api.NotificationCreatedData) error
}

// Made is a notification that was made.
type Made struct{ ID, Recipient uuid.UUID }

func errNotFound(cause error) error {
	return errs.New(errs.NotFound, "notification_not_found", "You have no such notification.").WithCause(cause)
}
