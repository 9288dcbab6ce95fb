package users

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/etag"
	"github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/services/users/internal/store"
	"github.com/atrium-mesh/atrium/services/users/internal/store/db"
)

// view is a row as clients see it.
func view(u db.User) api.User {
	return api.User{
		ID: u.ID.String(), Email: u.Email, EmailVerified: u.EmailVerified, FullName: u.FullName, Locale: u.Locale, TimeZone: u.TimeZone,
		Status: u.Status, Roles: u.Roles, CreatedAt: u.CreatedAt.UTC(), UpdatedAt: u.UpdatedAt.UTC(),
		LastSignInAt: utc(u.LastSignInAt), DeletedAt: utc(u.DeletedAt), EraseAt: utc(u.EraseAt),
	}
}

func response(u db.User) *api.UserResponse {
	return &api.UserResponse{ETag: etag.Of(u.Version), Body: view(u)}
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}

// lock reads a user for a change that is meant for the version in ifMatch.
func lock(ctx context.Context, tx *store.Tx, id uuid.UUID, ifMatch string) (db.User, error) {
	u, err := tx.LockUser(ctx, id)
	if errors.Is(err, errs.NotFound) {
		return u, notFound()
	}
	if err != nil {
		return u, err
	}
	return u, etag.Check(ifMatch, u.Version)
}

// audit records what was done, in the transaction that does it.
func audit(ctx context.Context, tx *store.Tx, user uuid.UUID, action string, detail any, now time.Time) error {
	body, err := json.Marshal(detail)
	if err != nil {
		return err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	return tx.InsertAudit(ctx, db.InsertAuditParams{ID: id, UserID: user, Actor: actor(ctx), Action: action, Detail: body, Now: now})
}
