package accounts

import (
	"context"
	"slices"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/revocation"
)

// Disown implements [api.Disown]. The account was never its owner's: it goes at once, here and, by the event, everywhere. Where and on
// what it was made stays in the audit trail: that is a stranger's, not the owner's.
func (s *Service) Disown(ctx context.Context, in *api.DisownRequest) (*struct{}, error) {
	return nil, s.redeem(ctx, in.Body.Token, api.LinkVerifyEmail, func(ctx context.Context, r redemption) error {
		if err := removable(ctx, r); err != nil {
			return err
		}
		if err := s.Ender.All(ctx, r.tx, r.account.ID, revocation.ReasonDisowned, r.now); err != nil {
			return err
		}
		erased, err := r.tx.EraseAccount(ctx, r.account.ID, r.now)
		if err != nil {
			return err
		}
		if err := r.tx.DropPassword(ctx, r.account.ID); err != nil {
			return err
		}
		if err := r.tx.EraseBelongings(ctx, r.account.ID); err != nil {
			return err
		}
		if err := r.audit(ctx, audit.RegistrationDisowned); err != nil {
			return err
		}
		if err := identity.Publish(ctx, r.tx, api.AccountStandingChanged, erased.ID, api.AccountStandingChangedData{
			AccountID: erased.ID,
			Standing:  api.Standing(erased.Status),
			Version:   erased.StatusVersion,
			Cause:     api.VerbErase,
			By:        erased.ID.String(),
			At:        r.now.UTC(),
		}); err != nil {
			return err
		}
		return identity.Publish(ctx, r.tx, api.AccountDisowned, r.account.ID, api.AccountData{AccountID: r.account.ID, At: r.now.UTC()})
	})
}

// removable refuses what somebody else has made or built on: a link in a mail must not remove the last administrator, for one.
func removable(ctx context.Context, r redemption) error {
	roles, err := r.tx.RolesOf(ctx, r.account.ID)
	if err != nil {
		return err
	}
	others := slices.ContainsFunc(roles, func(role identity.Role) bool { return role.Name != api.RoleUser })
	if r.account.Verified() || r.account.Origin != string(api.OriginSignUp) || others {
		return errs.New(errs.Conflict, "not_removable", "This account cannot be removed by a link; ask an administrator.")
	}
	return nil
}
