package consumers

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/events"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/users/internal/store"
)

// sessionStarted notes when a person last signed in. It is no change of the user: the version stays.
func sessionStarted() events.Handler {
	return events.On(auth.SessionStarted, func(ctx context.Context, tx pgx.Tx, e events.Event[auth.SessionStartedData]) error {
		return store.WithTx(tx).SetLastSignIn(ctx, e.Data.AccountID, e.Data.At)
	})
}
