package revocation

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

// Removable reports whether an account may go at once, without a time to think it over: nobody has proved its address, which may be somebody
// else's, and nobody but who signed up has made it or built on it. A link in a mail must not remove the last administrator, for one.
func Removable(a identity.Account, roles []identity.Role) bool {
	others := slices.ContainsFunc(roles, func(role identity.Role) bool { return role.Name != api.RoleUser })
	return !a.Verified() && a.Origin == string(api.OriginSignUp) && !others
}

// Remove removes an account at once, here and, by its event, everywhere: its address is free. Where and on what it was made stays in the audit
// trail: that may be a stranger's, not the owner's. The caller holds LockAccount, and tells of the new standing.
func (e Ender) Remove(ctx context.Context, tx identity.Tx, account uuid.UUID, reason string, at time.Time) (identity.Account, error) {
	if err := e.All(ctx, tx, account, reason, at); err != nil {
		return identity.Account{}, err
	}
	erased, err := tx.EraseAccount(ctx, account, at)
	if err != nil {
		return erased, err
	}
	if err := tx.DropPassword(ctx, account); err != nil {
		return erased, err
	}
	if err := tx.EraseBelongings(ctx, account); err != nil {
		return erased, err
	}
	return erased, identity.Publish(ctx, tx, api.AccountDisowned, account, api.AccountData{AccountID: account, At: at.UTC()})
}
