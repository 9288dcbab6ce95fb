package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/services/notifications/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/deliveries"
	"github.com/atrium-mesh/atrium/services/notifications/internal/store/db"
	"github.com/atrium-mesh/atrium/services/notifications/internal/tasks"
)

// ListDeliveries is of deliveries.Reader.
func (r reader) ListDeliveries(ctx context.Context, q deliveries.ListQuery) ([]api.Delivery, error) {
	rows, err := r.q.ListDeliveries(ctx, db.ListDeliveriesParams{
		Before: q.Before, State: string(q.State), Channel: string(q.Channel), Template: q.Template, Category: string(q.Category),
		RecipientID: optional(q.Recipient), CreatedFrom: instant(q.CreatedFrom), CreatedTo: instant(q.CreatedTo), Most: q.Limit, Skip: q.Offset,
	})
	if err != nil {
		return nil, err
	}
	out := make([]api.Delivery, len(rows))
	for i, row := range rows {
		out[i] = deliveryOf(row)
	}
	return out, nil
}

// CountDeliveries is of deliveries.Reader.
func (r reader) CountDeliveries(ctx context.Context, q deliveries.ListQuery) (int64, error) {
	return r.q.CountDeliveries(ctx, db.CountDeliveriesParams{
		State: string(q.State), Channel: string(q.Channel), Template: q.Template, Category: string(q.Category),
		RecipientID: optional(q.Recipient), CreatedFrom: instant(q.CreatedFrom), CreatedTo: instant(q.CreatedTo),
	})
}

// Delivery is of deliveries.Reader.
func (r reader) Delivery(ctx context.Context, id uuid.UUID) (api.Delivery, error) {
	row, err := r.q.GetDelivery(ctx, id)
	if err != nil {
		return api.Delivery{}, err
	}
	steps, err := r.q.ListSteps(ctx, id)
	if err != nil {
		return api.Delivery{}, err
	}
	d := deliveryOf(row)
	for _, s := range steps {
		d.History = append(d.History, api.DeliveryStep{
			State: api.DeliveryState(s.State), At: s.At.UTC(), Attempt: s.Attempt, Reason: s.Reason, Detail: s.Detail, Actor: s.Actor,
		})
	}
	return d, nil
}

// PurgeDeliveries removes what was settled before an instant, at most so many.
func (s *Store) PurgeDeliveries(ctx context.Context, before time.Time, most int32) (int64, error) {
	return s.q.PurgeDeliveries(ctx, db.PurgeDeliveriesParams{Before: before, Most: most})
}

// InsertDeliveries is of deliveries.Tx.
func (t *Tx) InsertDeliveries(ctx context.Context, o deliveries.Order, ids []uuid.UUID) (int, error) {
	data, err := encode(o.Data)
	if err != nil {
		return 0, err
	}
	p := db.CreateDeliveriesParams{
		Ids: ids, Channel: string(api.ChannelEmail), Template: string(o.Template), Category: string(o.Category), CauseID: o.Cause,
		Data: data, CreatedAt: o.At,
	}
	for _, to := range o.Recipients {
		p.OrgIds = append(p.OrgIds, to.OrgID)
		p.RecipientIds = append(p.RecipientIds, to.ID)
	}
	made, err := t.q.CreateDeliveries(ctx, p)
	if err != nil || len(made) == 0 {
		return 0, err
	}
	if err := t.q.AddSteps(ctx, db.AddStepsParams{Ids: made, State: string(api.DeliveryQueued)}); err != nil {
		return 0, err
	}
	inserts := make([]river.InsertManyParams, len(made))
	for i, id := range made {
		inserts[i] = river.InsertManyParams{Args: tasks.DeliverArgs{DeliveryID: id}, InsertOpts: deliverOpts(o.Category)}
	}
	if _, err := t.jobs.Client().InsertManyFastTx(ctx, t.tx, inserts); err != nil {
		return 0, fmt.Errorf("insert the jobs: %w", pg.Err(err))
	}
	return len(made), nil
}

func deliverOpts(category api.Category) *river.InsertOpts {
	opts := tasks.DeliverArgs{}.InsertOpts()
	opts.Priority = deliveries.Priority(category)
	return &opts
}

// LockDelivery is of deliveries.Tx.
func (t *Tx) LockDelivery(ctx context.Context, id uuid.UUID) (deliveries.Delivery, error) {
	row, err := t.q.LockDelivery(ctx, id)
	if err != nil {
		return deliveries.Delivery{}, err
	}
	return withData(row)
}

// RequeueDelivery is of deliveries.Tx.
func (t *Tx) RequeueDelivery(ctx context.Context, d deliveries.Delivery, actor string, hurry bool) (bool, error) {
	job, err := t.insertJob(ctx, tasks.DeliverArgs{DeliveryID: d.ID, Round: d.Round}, deliverOpts(d.Category))
	if err != nil {
		return false, err
	}
	if job.UniqueSkippedAsDuplicate {
		if !hurry {
			return false, nil
		}
		if _, err := t.jobs.Client().JobRetryTx(ctx, t.tx, job.Job.ID); err != nil {
			return false, fmt.Errorf("bring the job forward: %w", pg.Err(err))
		}
	}
	if err := t.q.RequeueDelivery(ctx, db.RequeueDeliveryParams{ID: d.ID, Round: d.Round}); err != nil {
		return false, err
	}
	return true, t.q.AddSteps(ctx, db.AddStepsParams{Ids: []uuid.UUID{d.ID}, State: string(api.DeliveryQueued), Actor: actor})
}

// StartAttempt is of deliveries.Tx.
func (t *Tx) StartAttempt(ctx context.Context, id uuid.UUID) (deliveries.Delivery, error) {
	row, err := t.q.StartAttempt(ctx, id)
	if err != nil {
		return deliveries.Delivery{}, err
	}
	err = t.q.AddSteps(ctx, db.AddStepsParams{Ids: []uuid.UUID{id}, State: string(api.DeliverySending), Attempt: row.Attempts})
	if err != nil {
		return deliveries.Delivery{}, err
	}
	return withData(row)
}

// FinishAttempt is of deliveries.Tx.
func (t *Tx) FinishAttempt(ctx context.Context, r deliveries.Result, detail string) (bool, error) {
	n, err := t.q.FinishAttempt(ctx, db.FinishAttemptParams{
		ID: r.ID, Attempts: r.Attempt, State: string(r.State), Reason: r.Reason, Address: r.Address, Locale: r.Locale,
		NextAttemptAt: r.NextAttemptAt, SentAt: r.SentAt,
	})
	if err != nil || n == 0 {
		return false, err
	}
	return true, t.q.AddSteps(ctx, db.AddStepsParams{
		Ids: []uuid.UUID{r.ID}, State: string(r.State), Attempt: r.Attempt, Reason: r.Reason, Detail: detail,
	})
}

// PublishDeliveryFailed is of deliveries.Tx.
func (t *Tx) PublishDeliveryFailed(ctx context.Context, data api.DeliveryFailedData) error {
	return events.Publish(ctx, t.tx, api.DeliveryFailed, data.RecipientID.String(), data)
}

func withData(row db.Delivery) (deliveries.Delivery, error) {
	d := deliveries.Delivery{Delivery: deliveryOf(row), Round: row.Round}
	return d, decode(row.Data, &d.Data)
}

func deliveryOf(row db.Delivery) api.Delivery {
	return api.Delivery{
		ID: row.ID, RecipientID: row.RecipientID, Channel: api.Channel(row.Channel), Category: api.Category(row.Category), Template: row.Template,
		CauseID: row.CauseID, State: api.DeliveryState(row.State), Attempts: row.Attempts, Reason: row.Reason, Address: row.Address,
		Locale: row.Locale, CreatedAt: row.CreatedAt.UTC(), NextAttemptAt: utc(row.NextAttemptAt), SentAt: utc(row.SentAt),
	}
}

func optional(id uuid.NullUUID) *uuid.UUID {
	if !id.Valid {
		return nil
	}
	return &id.UUID
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
