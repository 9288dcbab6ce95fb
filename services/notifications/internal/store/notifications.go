package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/strictjson"
	"github.com/atrium-mesh/atrium/services/notifications/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/notifications"
	"github.com/atrium-mesh/atrium/services/notifications/internal/store/db"
	"github.com/atrium-mesh/atrium/services/notifications/internal/tasks"
)

// ListNotifications is of notifications.Store.
func (r reader) ListNotifications(ctx context.Context, q notifications.ListQuery) ([]notifications.Item, error) {
	rows, err := r.q.ListNotifications(ctx, db.ListNotificationsParams{
		RecipientID: q.Recipient, Before: q.Before, Unread: q.Filter.Unread, Category: string(q.Filter.Category), Most: q.Limit, Skip: q.Offset,
	})
	if err != nil {
		return nil, err
	}
	return itemsOf(rows)
}

// CountNotifications is of notifications.Store.
func (r reader) CountNotifications(ctx context.Context, recipient uuid.UUID, f api.NotificationFilter) (int64, error) {
	return r.q.CountNotifications(ctx, db.CountNotificationsParams{RecipientID: recipient, Unread: f.Unread, Category: string(f.Category)})
}

// CountUnread is of notifications.Store.
func (r reader) CountUnread(ctx context.Context, recipient uuid.UUID) (int64, error) {
	return r.q.CountUnread(ctx, recipient)
}

// SeqOf is of notifications.Store.
func (r reader) SeqOf(ctx context.Context, recipient, id uuid.UUID) (int64, error) {
	return r.q.SeqOf(ctx, db.SeqOfParams{ID: id, RecipientID: recipient})
}

// LastSeq is the number of a recipient's latest notification; errs.NotFound when nothing is known of them.
func (r reader) LastSeq(ctx context.Context, recipient uuid.UUID) (int64, error) {
	return r.q.LastSeq(ctx, recipient)
}

// LastSeqBefore is the number of a recipient's latest notification whose id is not greater; 0 when there is none.
func (r reader) LastSeqBefore(ctx context.Context, recipient, id uuid.UUID) (int64, error) {
	return r.q.LastSeqBefore(ctx, db.LastSeqBeforeParams{RecipientID: recipient, ID: id})
}

// NotificationsSince are a recipient's notifications with greater numbers, in their order.
func (r reader) NotificationsSince(ctx context.Context, recipient uuid.UUID, seq int64, most int32) ([]notifications.Item, error) {
	rows, err := r.q.NotificationsSince(ctx, db.NotificationsSinceParams{RecipientID: recipient, Seq: seq, Most: most})
	if err != nil {
		return nil, err
	}
	return itemsOf(rows)
}

// ReadNotification is of notifications.Store.
func (s *Store) ReadNotification(ctx context.Context, recipient, id uuid.UUID) (notifications.Item, error) {
	row, err := s.q.ReadNotification(ctx, db.ReadNotificationParams{ID: id, RecipientID: recipient})
	if err != nil {
		return notifications.Item{}, err
	}
	return itemOf(row)
}

// ReadUpTo is of notifications.Store.
func (s *Store) ReadUpTo(ctx context.Context, recipient uuid.UUID, seq int64) (int64, error) {
	return s.q.ReadNotificationsUpTo(ctx, db.ReadNotificationsUpToParams{RecipientID: recipient, Seq: seq})
}

// PurgeNotifications removes what was made before an instant, at most so many.
func (s *Store) PurgeNotifications(ctx context.Context, before time.Time, most int32) (int64, error) {
	return s.q.PurgeNotifications(ctx, db.PurgeNotificationsParams{Before: before, Most: most})
}

// InsertNotifications is of notifications.Tx.
func (t *Tx) InsertNotifications(ctx context.Context, n notifications.Telling, ids []uuid.UUID) ([]notifications.Made, error) {
	data, err := encode(n.Data)
	if err != nil {
		return nil, err
	}
	rows, err := t.q.CreateNotifications(ctx, db.CreateNotificationsParams{
		Ids: ids, RecipientIds: n.Recipients, CauseID: n.Cause, Category: string(n.Category), Title: n.Title, Body: n.Body, Data: data, CreatedAt: n.At,
	})
	if err != nil {
		return nil, err
	}
	made := make([]notifications.Made, len(rows))
	for i, row := range rows {
		made[i] = notifications.Made{ID: row.ID, Recipient: row.RecipientID}
	}
	return made, nil
}

// PublishNotificationCreated is of notifications.Tx.
func (t *Tx) PublishNotificationCreated(ctx context.Context, data api.NotificationCreatedData) error {
	return events.Publish(ctx, t.tx, api.NotificationCreated, data.RecipientID.String(), data)
}

// AnnounceLater tells the streams of a recipient once the transaction is committed.
func (t *Tx) AnnounceLater(ctx context.Context, recipient uuid.UUID) error {
	_, err := t.insertJob(ctx, tasks.AnnounceArgs{RecipientID: recipient}, nil)
	return err
}

func itemsOf(rows []db.Notification) ([]notifications.Item, error) {
	items := make([]notifications.Item, len(rows))
	for i, row := range rows {
		var err error
		if items[i], err = itemOf(row); err != nil {
			return nil, err
		}
	}
	return items, nil
}

func itemOf(row db.Notification) (notifications.Item, error) {
	item := notifications.Item{Seq: row.Seq, Notification: api.Notification{
		ID: row.ID, Category: api.Category(row.Category), Title: row.Title, Body: row.Body, CreatedAt: row.CreatedAt.UTC(), ReadAt: utc(row.ReadAt),
	}}
	return item, decode(row.Data, &item.Data)
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}

// encode writes a JSON object; nil is an empty one.
func encode(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode data: %w", err)
	}
	if string(b) == "null" {
		return []byte("{}"), nil
	}
	return b, nil
}

func decode(b []byte, v any) error {
	if err := strictjson.Unmarshal(b, v); err != nil {
		return fmt.Errorf("decode data: %w", err)
	}
	return nil
}
