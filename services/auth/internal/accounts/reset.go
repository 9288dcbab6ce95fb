package accounts

import (
	"context"

	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/password"
	"github.com/atrium-mesh/atrium/services/auth/internal/revocation"
)

// ForgotPassword implements [api.ForgotPassword].
func (s *Service) ForgotPassword(ctx context.Context, in *api.ForgotPasswordRequest) (*struct{}, error) {
	return nil, s.evenly(ctx, func(ctx context.Context) error {
		return s.askForMail(ctx, in.Body.Email, s.requestReset)
	})
}

func (s *Service) requestReset(ctx context.Context, tx identity.Tx, a identity.Account) error {
	now := s.Clock()
	claimed, err := tx.ClaimResetMail(ctx, a.ID, now, now.Add(-mailPause))
	if err != nil || !claimed {
		return err
	}
	if err := s.auditOwn(ctx, tx, audit.PasswordForgotten, a); err != nil {
		return err
	}
	return identity.Publish(ctx, tx, api.PasswordResetRequested, a.ID, api.AccountData{AccountID: a.ID, At: now.UTC()})
}

// ResetPassword implements [api.ResetPassword].
func (s *Service) ResetPassword(ctx context.Context, in *api.ResetPasswordRequest) (*struct{}, error) {
	hash, err := s.hashFor(ctx, in.Body.Token, api.LinkResetPassword, in.Body.Password, "")
	if err != nil {
		return nil, err
	}
	return nil, s.redeem(ctx, in.Body.Token, api.LinkResetPassword, func(ctx context.Context, r redemption) error {
		if err := r.setPassword(ctx, hash); err != nil {
			return err
		}
		if err := r.verify(ctx, ""); err != nil {
			return err
		}
		if err := s.Ender.All(ctx, r.tx, r.account.ID, revocation.ReasonPassword, r.now); err != nil {
			return err
		}
		entry, err := audit.New(ctx, r.now, audit.PasswordReset, r.account.ID.String())
		if err != nil {
			return err
		}
		return passwordChanged(ctx, r.tx, r.account.ID, "reset", entry.By(r.account.ID.String()))
	})
}

// hashFor checks a password that is chosen with a link, and hashes it. Name is another name of the person, or empty.
func (s *Service) hashFor(ctx context.Context, token string, purpose api.LinkPurpose, chosen, name string) (string, error) {
	link, err := s.look(ctx, token, purpose)
	if err != nil {
		return "", err
	}
	account, err := s.Store.Account(ctx, *link.AccountID)
	if err != nil {
		return "", err
	}
	err = s.Policy.Choose(ctx, "body.password", chosen,
		password.Person{Email: account.Email, FullName: account.FullName}, password.Person{FullName: name})
	if err != nil {
		return "", err
	}
	return s.Passwords.Hash(ctx, chosen)
}

// setPassword also makes every other link useless that could set one.
func (r redemption) setPassword(ctx context.Context, hash string) error {
	if err := r.tx.SetPassword(ctx, r.account.ID, hash, r.now); err != nil {
		return err
	}
	for _, purpose := range []api.LinkPurpose{api.LinkResetPassword, api.LinkInvitation} {
		if err := r.tx.UseLinksOf(ctx, r.account.ID, string(purpose), r.now); err != nil {
			return err
		}
	}
	return nil
}
