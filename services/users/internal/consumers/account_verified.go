package consumers

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/person"
	"github.com/atrium-mesh/atrium/pkg/text"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/users/internal/store"
	"github.com/atrium-mesh/atrium/services/users/internal/users"
)

// accountVerified makes a pending user active. Who accepts an invitation may say another name than the one that was invited.
func accountVerified(clock func() time.Time) events.Handler {
	return events.On(auth.AccountVerified, func(ctx context.Context, tx pgx.Tx, e events.Event[auth.AccountVerifiedData]) error {
		name, err := person.OptionalName("data.full_name", e.Data.FullName)
		if err != nil {
			return err
		}
		email, err := text.Line("data.email", e.Data.Email, users.MaxEmail)
		if err != nil {
			return err
		}
		records := store.WithTx(tx)
		if _, err := records.LockUser(ctx, e.Data.AccountID); err != nil {
			return unlessErased(ctx, tx, e.Data.AccountID, err)
		}
		if err := records.MarkVerified(ctx, e.Data.AccountID, email, name, clock()); err != nil || name == "" {
			return err
		}
		return users.TellUpdated(ctx, records, e.Data.AccountID)
	})
}
