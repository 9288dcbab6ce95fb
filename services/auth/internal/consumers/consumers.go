// Package consumers owns what auth does when something happens to a user.
package consumers

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/services/auth/internal/standing"
	"github.com/atrium-mesh/atrium/services/auth/internal/store"
	usersapi "github.com/atrium-mesh/atrium/services/users/api"
)

// Handlers are for the events of users. Each is idempotent by the user's version.
func Handlers(s *standing.Standing) []events.Handler {
	return []events.Handler{
		events.On(usersapi.UserDeactivated, status(s.Disable)),
		events.On(usersapi.UserActivated, status(s.Enable)),
		events.On(usersapi.UserRestored, status(s.Enable)),
		events.On(usersapi.UserDeleted, func(ctx context.Context, tx pgx.Tx, e events.Event[usersapi.UserDeletedData]) error {
			return s.Disable(ctx, store.WithTx(tx), cause(e, e.Data.UserID, e.Data.Version))
		}),
		events.On(usersapi.UserErased, func(ctx context.Context, tx pgx.Tx, e events.Event[usersapi.UserErasedData]) error {
			return s.Erase(ctx, store.WithTx(tx), cause(e, e.Data.UserID, 0))
		}),
		events.On(usersapi.UserUpdated, func(ctx context.Context, tx pgx.Tx, e events.Event[usersapi.UserUpdatedData]) error {
			return s.Copy(ctx, store.WithTx(tx), e.Data.UserID, e.Data.FullName, e.Data.Locale)
		}),
	}
}

func status(change func(context.Context, standing.Tx, standing.Cause) error) func(context.Context, pgx.Tx, events.Event[usersapi.UserStatusData]) error {
	return func(ctx context.Context, tx pgx.Tx, e events.Event[usersapi.UserStatusData]) error {
		return change(ctx, store.WithTx(tx), cause(e, e.Data.UserID, e.Data.Version))
	}
}

func cause[T any](e events.Event[T], account uuid.UUID, version int64) standing.Cause {
	return standing.Cause{Account: account, Version: version, Actor: e.Actor}
}
