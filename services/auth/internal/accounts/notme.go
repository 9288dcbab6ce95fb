package accounts

import (
	"context"

	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/revocation"
)

// NotMe implements [api.NotMe]. Whoever was there may know the password, or may have set it, so it stops working.
func (s *Service) NotMe(ctx context.Context, in *api.NotMeRequest) (*struct{}, error) {
	return nil, s.redeem(ctx, in.Body.Token, api.LinkNotMe, func(ctx context.Context, r redemption) error {
		if err := r.tx.DropPassword(ctx, r.account.ID); err != nil {
			return err
		}
		if err := r.tx.UseLinksOf(ctx, r.account.ID, string(api.LinkNotMe), r.now); err != nil {
			return err
		}
		if err := r.tx.DistrustDevices(ctx, r.account.ID, r.now); err != nil { // theirs is among them
			return err
		}
		if err := s.Ender.All(ctx, r.tx, r.account.ID, revocation.ReasonNotMe, r.now); err != nil {
			return err
		}
		if err := r.audit(ctx, audit.AccountDisowned); err != nil {
			return err
		}
		if _, err := r.tx.ClaimResetMail(ctx, r.account.ID, r.now, r.now); err != nil {
			return err
		}
		return identity.Publish(ctx, r.tx, api.PasswordResetRequested, r.account.ID, api.AccountData{AccountID: r.account.ID, At: r.now.UTC()})
	})
}
