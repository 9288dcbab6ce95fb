package accounts

import (
	"context"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/revocation"
)

// Disown implements [api.Disown]. The account was never its owner's: it goes at once, here and, by the event, everywhere. Where and on
// what it was made stays in the audit trail: that is a stranger's, not the owner's.
func (s *Service) Disown(ctx context.Context, in *api.DisownRequest) (*struct{}, error) {
	return nil, s.redeemIn(ctx, disownable, in.Body.Token, api.LinkVerifyEmail, func(ctx context.Context, r redemption) error {
		roles, err := r.tx.RolesOf(ctx, r.account.ID)
		if err != nil {
			return err
		}
		if !revocation.Removable(r.account, roles) {
			return errs.New(errs.Conflict, "not_removable", "This account cannot be removed by a link; ask an administrator.")
		}
		erased, err := s.Ender.Remove(ctx, r.tx, r.account.ID, revocation.ReasonDisowned, r.now)
		if err != nil {
			return err
		}
		if err := r.audit(ctx, audit.RegistrationDisowned); err != nil {
			return err
		}
		return identity.Publish(ctx, r.tx, api.AccountStandingChanged, erased.ID, api.AccountStandingChangedData{
			AccountID: erased.ID,
			Standing:  api.Standing(erased.Status),
			Version:   erased.StatusVersion,
			Cause:     api.VerbErase,
			By:        erased.ID.String(),
			At:        r.now.UTC(),
		})
	})
}

// disownable reports whether the owner of an address may still say that the account is not theirs: also when it was deleted, by whoever had
// it, so that the address is free at once. One that an administrator keeps out stays, or it could be made anew.
func disownable(a identity.Account) bool {
	before := a.StatusBefore
	return a.Active() || a.Status == identity.StatusDeleted && before != nil && *before == identity.StatusActive
}
