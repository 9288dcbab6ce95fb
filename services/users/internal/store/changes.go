package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/services/users/internal/store/db"
	"github.com/atrium-mesh/atrium/services/users/internal/users"
)

// EnsureUser adds a user, unless there is one with this id.
func (tx *Tx) EnsureUser(ctx context.Context, n users.NewUser) error {
	return tx.q.EnsureUser(ctx, db.EnsureUserParams{
		ID:            n.ID,
		Email:         n.Email,
		EmailVerified: n.EmailVerified,
		FullName:      n.FullName,
		Locale:        n.Locale,
		TimeZone:      n.TimeZone,
		Status:        n.Status(),
		Roles:         n.Roles,
		RolesVersion:  n.RolesVersion,
		CreatedAt:     n.CreatedAt,
	})
}

// LockUser reads a user and holds the row until the transaction ends.
func (tx *Tx) LockUser(ctx context.Context, id uuid.UUID) (users.User, error) {
	row, err := tx.q.LockUser(ctx, id)
	return userOf(row), err
}

// SetProfile replaces a profile.
func (tx *Tx) SetProfile(ctx context.Context, id uuid.UUID, p users.Profile, at time.Time) (users.User, error) {
	row, err := tx.q.SetProfile(ctx, db.SetProfileParams{ID: id, FullName: p.FullName, Locale: p.Locale, TimeZone: p.TimeZone, Now: at})
	return userOf(row), err
}

// SetStanding copies how an account stands.
func (tx *Tx) SetStanding(ctx context.Context, id uuid.UUID, to users.Stand) (users.User, error) {
	row, err := tx.q.SetStanding(ctx, db.SetStandingParams{
		ID:              id,
		Status:          to.Status,
		StandingVersion: to.Version,
		DeletedAt:       to.DeletedAt,
		EraseAt:         to.EraseAt,
		Now:             to.Now,
	})
	return userOf(row), err
}

// NoteStanding keeps the version of a standing that changes nothing.
func (tx *Tx) NoteStanding(ctx context.Context, id uuid.UUID, version int64) error {
	return tx.q.NoteStanding(ctx, db.NoteStandingParams{ID: id, StandingVersion: version})
}

// Erased reports whether there was a user with this id who was erased.
func (tx *Tx) Erased(ctx context.Context, id uuid.UUID) (bool, error) { return tx.q.IsErased(ctx, id) }

// DueForErasure is users whose grace period is over; those that another transaction holds are left to it.
func (tx *Tx) DueForErasure(ctx context.Context, now time.Time, after users.Due, most int32) ([]users.Due, error) {
	rows, err := tx.q.DueForErasure(ctx, db.DueForErasureParams{Now: now, AfterAt: after.EraseAt, AfterID: after.ID, Most: most})
	out := make([]users.Due, len(rows))
	for i, row := range rows {
		out[i] = users.Due{ID: row.ID, EraseAt: *row.EraseAt}
	}
	return out, err
}

// Erase removes a user, and what the audit trail knows beyond who did what. That there was one is remembered.
func (tx *Tx) Erase(ctx context.Context, id uuid.UUID, at time.Time) error {
	if err := tx.q.EraseUser(ctx, id); err != nil {
		return err
	}
	if err := tx.q.EntombUser(ctx, db.EntombUserParams{ID: id, At: at}); err != nil {
		return err
	}
	if err := tx.q.ForgetAuditDetail(ctx, id); err != nil {
		return err
	}
	return tx.q.ForgetAuditAddress(ctx, id)
}
