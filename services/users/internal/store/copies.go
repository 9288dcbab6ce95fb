package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/services/users/internal/store/db"
)

// MarkVerified copies that a person proved to own the address, and the name given then, unless it is empty.
func (tx *Tx) MarkVerified(ctx context.Context, id uuid.UUID, email, fullName string, at time.Time) error {
	return tx.q.MarkVerified(ctx, db.MarkVerifiedParams{ID: id, Email: email, FullName: fullName, Now: at})
}

// SetRoles copies the roles of an account. An older version of them never replaces a newer one.
func (tx *Tx) SetRoles(ctx context.Context, id uuid.UUID, roles []string, version int64, at time.Time) error {
	if roles == nil { // of an event that says null
		roles = []string{}
	}
	return tx.q.SetRoles(ctx, db.SetRolesParams{ID: id, Roles: roles, RolesVersion: version, Now: at})
}

// SetLastSignIn notes when a person last signed in, which makes no new version.
func (tx *Tx) SetLastSignIn(ctx context.Context, id uuid.UUID, at time.Time) error {
	return tx.q.SetLastSignIn(ctx, db.SetLastSignInParams{ID: id, At: at})
}
