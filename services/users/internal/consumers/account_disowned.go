package consumers

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/events"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/users/internal/store"
	"github.com/atrium-mesh/atrium/services/users/internal/users"
)

// accountDisowned forgets somebody who never was: a stranger signed up with the address of another person.
func accountDisowned(clock func() time.Time) events.Handler {
	return events.On(auth.AccountDisowned, func(ctx context.Context, tx pgx.Tx, e events.Event[auth.AccountData]) error {
		return users.Disown(ctx, store.WithTx(tx), e.Data.AccountID, clock())
	})
}
