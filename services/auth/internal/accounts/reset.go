package accounts

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/address"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/password"
	"github.com/atrium-mesh/atrium/services/auth/internal/revocation"
)

// ForgotPassword implements [api.ForgotPassword].
func (s *Service) ForgotPassword(ctx context.Context, in *api.ForgotPasswordRequest) (*struct{}, error) {
	return nil, s.evenly(ctx, func(ctx context.Context) error {
		return s.askForMail(ctx, address.KeyOf(in.Body.Email), s.requestReset)
	})
}

// askedFor tells that a mail with a link is asked for, under the present generation of the account.
func askedFor(ctx context.Context, tx identity.Tx, what events.Type[api.AccountData], account uuid.UUID, generation int64, now time.Time) error {
	return identity.Publish(ctx, tx, what, account, api.AccountData{AccountID: account, At: now.UTC(), Generation: generation})
}

// claimMail is false when the account, or its mailbox, has had enough mails for now.
func (s *Service) claimMail(
	ctx context.Context, tx identity.Tx, a identity.Account,
	claim func(ctx context.Context, id uuid.UUID, at, before time.Time) (bool, error), now time.Time,
) (bool, error) {
	claimed, err := claim(ctx, a.ID, now, now.Add(-mailPause))
	if err != nil || !claimed {
		return false, err
	}
	wait, err := s.Mailboxes.Claim(ctx, tx, a.ID, a.EmailKey, now)
	return err == nil && wait == 0, err
}

func (s *Service) requestReset(ctx context.Context, tx identity.Tx, a identity.Account) error {
	now := s.Clock()
	claimed, err := s.claimMail(ctx, tx, a, tx.ClaimResetMail, now)
	if err != nil || !claimed {
		return err
	}
	if err := s.auditOwn(ctx, tx, audit.PasswordForgotten, a); err != nil {
		return err
	}
	return askedFor(ctx, tx, api.PasswordResetRequested, a.ID, a.Generation, now)
}

// ResetPassword implements [api.ResetPassword].
func (s *Service) ResetPassword(ctx context.Context, in *api.ResetPasswordRequest) (*struct{}, error) {
	hash, err := s.hashFor(ctx, choice{
		token:    in.Body.Token,
		purpose:  api.LinkResetPassword,
		password: in.Body.Password,
		field:    "body.password",
	})
	if err != nil {
		return nil, err
	}
	return nil, s.redeem(ctx, in.Body.Token, api.LinkResetPassword, func(ctx context.Context, r redemption) error {
		return s.openAnew(ctx, r, hash)
	})
}

// openAnew sets the password of who proved the address, and tells so: whoever held a link or a session until now is out.
func (s *Service) openAnew(ctx context.Context, r redemption, hash string) error {
	if err := s.openWith(ctx, r, hash); err != nil {
		return err
	}
	if err := r.verify(ctx, ""); err != nil {
		return err
	}
	entry, err := audit.New(ctx, r.now, audit.PasswordReset, r.account.ID.String())
	if err != nil {
		return err
	}
	return passwordChanged(ctx, r.tx, r.account.ID, "reset", entry.By(r.account.ID.String()))
}

// choice is a password that is chosen with a link.
type choice struct {
	token    string
	purpose  api.LinkPurpose
	password string
	field    string // of the request
	name     string // another name of the person, or empty
}

// hashFor checks a password that is chosen with a link, and hashes it.
func (s *Service) hashFor(ctx context.Context, c choice) (string, error) {
	link, err := s.look(ctx, c.token, c.purpose)
	if err != nil {
		return "", err
	}
	account, err := s.Store.Account(ctx, *link.AccountID)
	if err != nil {
		return "", err
	}
	err = s.Policy.Choose(ctx, c.field, c.password,
		password.Person{Email: account.Email, FullName: account.FullName}, password.Person{FullName: c.name})
	if err != nil {
		return "", err
	}
	return s.Passwords.Hash(ctx, c.password)
}

// openWith makes this password the only way into the account: nothing that opened it before does any longer.
func (s *Service) openWith(ctx context.Context, r redemption, hash string) error {
	if err := r.tx.SetPassword(ctx, r.account.ID, hash, r.now); err != nil {
		return err
	}
	_, err := s.Ender.Close(ctx, r.tx, r.account.ID, revocation.Closing{Reason: revocation.ReasonPassword, At: r.now})
	return err
}
