package store

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/notifications/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/recipients"
	"github.com/atrium-mesh/atrium/services/notifications/internal/store/db"
)

// Register makes a recipient, or completes one of whom users told first.
func (t *Tx) Register(ctx context.Context, r recipients.Registration) error {
	return t.q.RegisterRecipient(ctx, db.RegisterRecipientParams{
		ID: r.ID, OrgID: r.OrgID, Email: r.Email, FullName: r.FullName, Locale: r.Locale, Roles: notNil(r.Roles),
		VerifiedAt: r.Verified,
	})
}

// Verify keeps since when a recipient is known to own their address: the first time counts.
func (t *Tx) Verify(ctx context.Context, v recipients.Verification) error {
	return t.q.VerifyRecipient(ctx, db.VerifyRecipientParams{ID: v.ID, OrgID: v.OrgID, VerifiedAt: v.At})
}

// UpdateProfile replaces what users tells, unless something newer is there.
func (t *Tx) UpdateProfile(ctx context.Context, p recipients.Profile) error {
	return t.q.UpdateRecipientProfile(ctx, db.UpdateRecipientProfileParams{
		ID: p.ID, OrgID: p.OrgID, FullName: p.FullName, Locale: p.Locale, TimeZone: p.TimeZone, Version: p.Version,
	})
}

// UpdateStatus replaces whether a recipient may be reached, unless something newer is there.
func (t *Tx) UpdateStatus(ctx context.Context, s recipients.Status) error {
	return t.q.UpdateRecipientStatus(ctx, db.UpdateRecipientStatusParams{ID: s.ID, OrgID: s.OrgID, Active: s.Active, Version: s.Version})
}

// SetErasure keeps when a deleted recipient will be erased. Of one who is not known it keeps nothing.
func (t *Tx) SetErasure(ctx context.Context, e recipients.Erasure) error {
	return t.q.SetRecipientErasure(ctx, db.SetRecipientErasureParams{ID: e.ID, EraseAt: e.At})
}

// PurgeUnregistered removes people of whom auth has told nothing until an instant, at most so many.
func (s *Store) PurgeUnregistered(ctx context.Context, before time.Time, most int32) (int64, error) {
	return s.q.PurgeUnregistered(ctx, db.PurgeUnregisteredParams{Before: before, Most: most})
}

// UpdateRoles replaces what a recipient may be addressed by, unless something newer is there.
func (t *Tx) UpdateRoles(ctx context.Context, r recipients.Roles) error {
	return t.q.UpdateRecipientRoles(ctx, db.UpdateRecipientRolesParams{ID: r.ID, OrgID: r.OrgID, Roles: notNil(r.Roles), Version: r.Version})
}

// Erase removes everything personal of a recipient. What is left of them is an id, so that a late event cannot bring them back, and of
// their deliveries that there were some.
func (t *Tx) Erase(ctx context.Context, id uuid.UUID, orgID string) error {
	if err := t.q.EraseRecipient(ctx, db.EraseRecipientParams{ID: id, OrgID: orgID}); err != nil {
		return err
	}
	for _, erase := range []func(context.Context, uuid.UUID) error{
		t.q.ErasePreferences, t.q.EraseNotifications, t.q.EraseSends, t.q.ScrubDeliveries,
	} {
		if err := erase(ctx, id); err != nil {
			return err
		}
	}
	stopped, err := t.q.StopDeliveries(ctx, id)
	if err != nil || len(stopped) == 0 {
		return err
	}
	return t.q.AddSteps(ctx, db.AddStepsParams{Ids: stopped, State: string(api.DeliverySkipped), Reason: "recipient_erased"})
}

// Recipient is one; errs.NotFound when nothing is known of them.
func (r reader) Recipient(ctx context.Context, id uuid.UUID) (recipients.Recipient, error) {
	row, err := r.q.GetRecipient(ctx, id)
	return recipientOf(row), err
}

// KnowsRecipient reports whether anything is known of a person.
func (r reader) KnowsRecipient(ctx context.Context, id uuid.UUID) (bool, error) {
	row, err := r.q.GetRecipient(ctx, id)
	if errors.Is(err, errs.NotFound) {
		return false, nil
	}
	return row.ErasedAt == nil, err
}

// LockRecipient is of preferences.Tx.
func (t *Tx) LockRecipient(ctx context.Context, id uuid.UUID, orgID string) (recipients.Recipient, error) {
	if err := t.q.EnsureRecipient(ctx, db.EnsureRecipientParams{ID: id, OrgID: orgID}); err != nil {
		return recipients.Recipient{}, err
	}
	row, err := t.q.LockRecipient(ctx, id)
	return recipientOf(row), err
}

// CountActive is of broadcasts.Tx.
func (t *Tx) CountActive(ctx context.Context, orgID string, ids []uuid.UUID) (int64, error) {
	return t.q.CountActiveRecipients(ctx, db.CountActiveRecipientsParams{OrgID: orgID, Ids: ids})
}

func recipientOf(row db.Recipient) recipients.Recipient {
	return recipients.Recipient{
		ID: row.ID, OrgID: row.OrgID, Email: row.Email, FullName: row.FullName, Locale: row.Locale, TimeZone: row.TimeZone,
		Verified: row.VerifiedAt != nil, Active: row.Active, Erased: row.ErasedAt != nil, PreferencesVersion: row.PreferencesVersion,
		EraseAt: row.EraseAt,
	}
}

func notNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
