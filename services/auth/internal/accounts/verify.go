package accounts

import (
	"context"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/address"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

// VerifyEmail implements [api.VerifyEmail].
func (s *Service) VerifyEmail(ctx context.Context, in *api.VerifyEmailRequest) (*struct{}, error) {
	return nil, s.redeem(ctx, in.Body.Token, api.LinkVerifyEmail, func(ctx context.Context, r redemption) error {
		return r.verify(ctx, "")
	})
}

// ResendVerification implements [api.ResendVerification].
func (s *Service) ResendVerification(ctx context.Context, in *api.ResendVerificationRequest) (*struct{}, error) {
	return nil, s.evenly(ctx, func(ctx context.Context) error {
		return s.askForMail(ctx, in.Body.Email, func(ctx context.Context, tx identity.Tx, a identity.Account) error {
			now := s.Clock()
			if a.Verified() {
				return nil
			}
			claimed, err := tx.ClaimVerificationMail(ctx, a.ID, now, now.Add(-mailPause))
			if err != nil || !claimed {
				return err
			}
			if err := s.auditOwn(ctx, tx, audit.VerificationRequested, a); err != nil {
				return err
			}
			return identity.Publish(ctx, tx, api.VerificationRequested, a.ID, api.AccountData{AccountID: a.ID, At: now.UTC()})
		})
	})
}

// askForMail runs fn for the account with this address, when there is one that is in use.
func (s *Service) askForMail(ctx context.Context, email string, fn func(context.Context, identity.Tx, identity.Account) error) error {
	account, err := s.Store.AccountByEmail(ctx, address.KeyOf(email))
	if errs.KindOf(err) == errs.NotFound {
		return nil
	}
	if err != nil || !account.Active() {
		return err
	}
	ctx = by(ctx, account.ID)
	return s.Store.InTx(ctx, func(tx identity.Tx) error { return fn(ctx, tx, account) })
}

func (s *Service) auditOwn(ctx context.Context, tx identity.Tx, action string, a identity.Account) error {
	entry, err := audit.New(ctx, s.Clock(), action, a.ID.String())
	if err != nil {
		return err
	}
	return tx.WriteAudit(ctx, entry.By(audit.System)) // nobody knows who asked
}
