package users

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/etag"
	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/services/users/api"
)

// view is a user as clients see it.
func view(u User) api.User {
	return api.User{
		ID: u.ID.String(), Email: u.Email, EmailVerified: u.EmailVerified, FullName: u.FullName, Locale: u.Locale, TimeZone: u.TimeZone,
		Status: u.Status, Roles: u.Roles, CreatedAt: u.CreatedAt.UTC(), UpdatedAt: u.UpdatedAt.UTC(),
		LastSignInAt: utc(u.LastSignInAt), DeletedAt: utc(u.DeletedAt), EraseAt: utc(u.EraseAt),
	}
}

func response(u User) *api.UserResponse {
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
func lock(ctx context.Context, tx Tx, id uuid.UUID, ifMatch string) (User, error) {
	u, err := existing(tx.LockUser(ctx, id))
	if err != nil {
		return u, err
	}
	return u, etag.Check(ifMatch, u.Version)
}

// existing turns a user who is not there into the answer for that.
func existing(u User, err error) (User, error) {
	if errors.Is(err, errs.NotFound) {
		return u, notFound()
	}
	return u, err
}

// audit records what was done, in the transaction that does it.
func audit(ctx context.Context, tx Tx, user uuid.UUID, action string, now time.Time) error {
	from := request.From(ctx)
	return tx.WriteAudit(ctx, Change{
		UserID:    user,
		Actor:     actor(ctx),
		Action:    action,
		IP:        from.ClientIP,
		RequestID: from.ID,
		At:        now,
	})
}
