// Package consumers owns what users does when something happens elsewhere, one file an event. Each handler runs in the transaction
// that records the event as handled, so that its effect happens once.
package consumers

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/services/users/internal/store"
)

// unlessErased is what becomes of an event about a user who is not here. One who was erased is gone for good, and the event came late. Of
// anybody else the account's first event has not been handled yet: a dead letter, perhaps. What this one says is a dead letter as well
// until then, and is tried again by itself (errs.NotFound): a copy that begins without it would never hear of it.
func unlessErased(ctx context.Context, tx pgx.Tx, id uuid.UUID, err error) error {
	if !errors.Is(err, errs.NotFound) {
		return err
	}
	erased, lookErr := store.WithTx(tx).Erased(ctx, id)
	if lookErr != nil {
		return lookErr
	}
	if erased {
		return nil
	}
	return errs.New(errs.NotFound, "user_not_yet", "The user's account has not been heard of yet.").WithCause(err)
}

// Handlers are all of them. Grace is the time between deleting and erasing.
func Handlers(clock func() time.Time, grace time.Duration) []events.Handler {
	return []events.Handler{
		accountRegistered(),
		accountVerified(clock),
		accountDisowned(clock),
		accountStandingChanged(grace),
		rolesChanged(clock),
		sessionStarted(),
	}
}
