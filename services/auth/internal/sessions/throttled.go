package sessions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/throttle"
)

// Throttled leaves in the audit trail that attempts from somewhere are refused. It is a throttle.Trail.
type Throttled struct {
	Store identity.Store
	Clock func() time.Time
}

var _ throttle.Trail = Throttled{}

// Throttled writes an entry of the request in ctx: what was tried, and its address, device and id are the source. The subject is the account
// that was tried, or empty when there is none with this address.
func (t Throttled) Throttled(ctx context.Context, a throttle.Attempt, scope string) error {
	action, known := audit.Throttled(a.Action)
	if !known {
		return fmt.Errorf("the audit trail has no name for too many failures of %q", a.Action)
	}
	account, err := t.Store.AccountByEmail(ctx, a.EmailKey)
	subject := ""
	switch {
	case err == nil:
		subject = account.ID.String()
	case !errors.Is(err, errs.NotFound):
		return err
	}
	entry, err := audit.New(ctx, t.Clock(), action, subject)
	if err != nil {
		return err
	}
	if a.Action == audit.SessionStarted { // whoever signs in is nobody yet
		entry = entry.By(audit.System)
	}
	return t.Store.InTx(ctx, func(tx identity.Tx) error {
		return tx.WriteAudit(ctx, entry.Failed().With("blocked", scope))
	})
}
