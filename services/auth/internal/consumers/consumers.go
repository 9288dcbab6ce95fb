// Package consumers owns what auth does when something happens to a user.
package consumers

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/services/auth/internal/standing"
	"github.com/atrium-mesh/atrium/services/auth/internal/store"
	usersapi "github.com/atrium-mesh/atrium/services/users/api"
)

// Handlers are for the events of users. Auth takes from them what users owns, the name and the language, and that a deletion is final.
// Whether somebody may sign in is auth's own: nothing that an event says changes it.
func Handlers(s *standing.Service) []events.Handler {
	return []events.Handler{userErased(s), userUpdated(s)}
}

// userErased follows an erasure, of an account that was deleted here.
func userErased(s *standing.Service) events.Handler {
	return events.On(usersapi.UserErased, func(ctx context.Context, tx pgx.Tx, e events.Event[usersapi.UserErasedData]) error {
		return s.Erase(ctx, store.WithTx(tx), e.Data.UserID, e.Actor)
	})
}

// userUpdated keeps the copy of the name and the language.
func userUpdated(s *standing.Service) events.Handler {
	return events.On(usersapi.UserUpdated, func(ctx context.Context, tx pgx.Tx, e events.Event[usersapi.UserUpdatedData]) error {
		return s.Copy(ctx, store.WithTx(tx), e.Data.UserID, standing.Profile{
			FullName: e.Data.FullName,
			Locale:   e.Data.Locale,
			Version:  e.Data.Version,
		})
	})
}
