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
		ID: n.ID, Email: n.Email, EmailVerified: n.EmailVerified, FullName: n.FullName, Locale: n.Locale, TimeZone: n.TimeZone,
		Status: n.Status(), Roles: n.Roles, CreatedAt: n.CreatedAt,
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

// SetStatus sets a status.
func (tx *Tx) SetStatus(ctx context.Context, id uuid.UUID, status string, at time.Time) (users.User, error) {
	row, err := tx.q.SetStatus(ctx, db.SetStatusParams{ID: id, Status: status, Now: at})
	return userOf(row), err
}

// MarkDeleted deletes a user until it is restored or erased.
func (tx *Tx) MarkDeleted(ctx context.Context, id uuid.UUID, at, eraseAt time.Time) (users.User, error) {
	row, err := tx.q.MarkDeleted(ctx, db.MarkDeletedParams{ID: id, Now: at, EraseAt: eraseAt})
	return userOf(row), err
}

// Restore takes a deletion back.
func (tx *Tx) Restore(ctx context.Context, id uuid.UUID, at time.Time) (users.User, error) {
	row, err := tx.q.Restore(ctx, db.RestoreParams{ID: id, Now: at})
	return userOf(row), err
}

// LockDueForErasure holds users whose grace period is over; those that another transaction holds are left to it.
func (tx *Tx) LockDueForErasure(ctx context.Context, now time.Time, most int32) ([]uuid.UUID, error) {
	return tx.q.LockDueForErasure(ctx, db.LockDueForErasureParams{Now: now, Most: most})
}

// Erase removes a user, and what the audit trail knows beyond who did what.
func (tx *Tx) Erase(ctx context.Context, id uuid.UUID) error {
	if err := tx.q.EraseUser(ctx, id); err != nil {
		return err
	}
	return tx.q.ForgetAuditDetail(ctx, id)
}
