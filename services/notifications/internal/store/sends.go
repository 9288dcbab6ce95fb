package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/idempotency"
	"github.com/atrium-mesh/atrium/services/notifications/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/broadcasts"
	"github.com/atrium-mesh/atrium/services/notifications/internal/store/db"
	"github.com/atrium-mesh/atrium/services/notifications/internal/tasks"
)

// Send is of broadcasts.Reader.
func (r reader) Send(ctx context.Context, id uuid.UUID) (broadcasts.Send, error) {
	row, err := r.q.GetSend(ctx, id)
	if err != nil {
		return broadcasts.Send{}, err
	}
	return sendOf(row)
}

// SendText is of deliveries.Tx.
func (r reader) SendText(ctx context.Context, id uuid.UUID) (title, body string, err error) {
	row, err := r.q.GetSend(ctx, id)
	return row.Title, row.Body, err
}

// PurgeSends removes what was finished before an instant, at most so many.
func (s *Store) PurgeSends(ctx context.Context, before time.Time, most int32) (int64, error) {
	return s.q.PurgeSends(ctx, db.PurgeSendsParams{Before: before, Most: most})
}

// InsertSend is of broadcasts.Tx.
func (t *Tx) InsertSend(ctx context.Context, s broadcasts.Send) error {
	data, err := encode(s.Data)
	if err != nil {
		return err
	}
	channels := make([]string, len(s.Channels))
	for i, c := range s.Channels {
		channels[i] = string(c)
	}
	_, err = t.q.CreateSend(ctx, db.CreateSendParams{
		ID: s.ID, OrgID: s.OrgID, CreatedBy: s.CreatedBy, Category: string(s.Category), Title: s.Title, Body: s.Body, Data: data, Channels: channels,
		ToUserIds: notNil(s.To.UserIDs), ToRoles: notNil(s.To.Roles), ToEveryone: s.To.Everyone, SendAt: s.SendAt, Unknown: s.Counts.Unknown,
		CreatedAt: s.CreatedAt,
	})
	if err != nil {
		return err
	}
	opts := tasks.FanOutArgs{}.InsertOpts()
	if s.SendAt.After(s.CreatedAt) {
		opts.ScheduledAt = s.SendAt
	}
	_, err = t.insertJob(ctx, tasks.FanOutArgs{SendID: s.ID}, &opts)
	return err
}

// LockSend is of broadcasts.Tx.
func (t *Tx) LockSend(ctx context.Context, id uuid.UUID) (broadcasts.Send, error) {
	row, err := t.q.LockSend(ctx, id)
	if err != nil {
		return broadcasts.Send{}, err
	}
	return sendOf(row)
}

// UpdateSend is of broadcasts.Tx.
func (t *Tx) UpdateSend(ctx context.Context, s broadcasts.Send) error {
	return t.q.AdvanceSend(ctx, db.AdvanceSendParams{
		ID: s.ID, State: string(s.State), Cursor: s.Cursor, Recipients: s.Counts.Recipients, Notified: s.Counts.Notified, Mailed: s.Counts.Mailed,
		Skipped: s.Counts.Skipped, Unknown: s.Counts.Unknown, FinishedAt: s.FinishedAt,
	})
}

// Audience is of broadcasts.Tx.
func (t *Tx) Audience(ctx context.Context, s broadcasts.Send, most int32) ([]broadcasts.Member, error) {
	var rows []db.AudienceOfEveryoneRow
	switch category := string(s.Category); {
	case s.To.Everyone:
		found, err := t.q.AudienceOfEveryone(ctx, db.AudienceOfEveryoneParams{OrgID: s.OrgID, Category: category, After: s.Cursor, Most: most})
		if err != nil {
			return nil, err
		}
		rows = found
	case len(s.To.Roles) > 0:
		found, err := t.q.AudienceOfRoles(ctx, db.AudienceOfRolesParams{OrgID: s.OrgID, Category: category, After: s.Cursor, Roles: s.To.Roles, Most: most})
		if err != nil {
			return nil, err
		}
		for _, row := range found {
			rows = append(rows, db.AudienceOfEveryoneRow(row))
		}
	default:
		found, err := t.q.AudienceOfUsers(ctx, db.AudienceOfUsersParams{OrgID: s.OrgID, Category: category, After: s.Cursor, Ids: s.To.UserIDs, Most: most})
		if err != nil {
			return nil, err
		}
		for _, row := range found {
			rows = append(rows, db.AudienceOfEveryoneRow(row))
		}
	}
	members := make([]broadcasts.Member, len(rows))
	for i, row := range rows {
		members[i] = broadcasts.Member(row)
	}
	return members, nil
}

// SendOnce is of broadcasts.Tx.
func (t *Tx) SendOnce(ctx context.Context, key idempotency.Key, fn func() (api.NotificationSend, error)) (api.NotificationSend, error) {
	send, _, err := idempotency.Do(ctx, t.tx, key, fn)
	return send, err
}

func sendOf(row db.Send) (broadcasts.Send, error) {
	s := broadcasts.Send{OrgID: row.OrgID, Body: row.Body, Cursor: row.Cursor, NotificationSend: api.NotificationSend{
		ID: row.ID, State: api.SendState(row.State), Category: api.Category(row.Category), Title: row.Title, CreatedBy: row.CreatedBy,
		To:     api.SendAudience{UserIDs: row.ToUserIds, Roles: row.ToRoles, Everyone: row.ToEveryone},
		Counts: api.SendCounts{Recipients: row.Recipients, Notified: row.Notified, Mailed: row.Mailed, Skipped: row.Skipped, Unknown: row.Unknown},
		SendAt: row.SendAt.UTC(), CreatedAt: row.CreatedAt.UTC(), FinishedAt: utc(row.FinishedAt),
	}}
	for _, c := range row.Channels {
		s.Channels = append(s.Channels, api.Channel(c))
	}
	if err := decode(row.Data, &s.Data); err != nil {
		return s, fmt.Errorf("send %s: %w", row.ID, err)
	}
	return s, nil
}
