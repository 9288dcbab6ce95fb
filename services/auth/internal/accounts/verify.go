package accounts

import (
	"context"
	"net/http"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/address"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

// VerifyEmail implements [api.VerifyEmail]. Anybody can sign up with an address that is not theirs, and its owner may well follow the
// link: that must not make a stranger's password good. So the link alone proves nothing; it takes the password as well, the browser in
// which it was chosen, or another password.
func (s *Service) VerifyEmail(ctx context.Context, in *api.VerifyEmailRequest) (*api.VerifyEmailResponse, error) {
	var err error
	switch b := in.Body; {
	case b.Password != "" && b.NewPassword != "":
		err = errs.InvalidField("body.new_password", "exclusive", "must be left out when the password is given")
	case b.NewPassword != "":
		err = s.verifyWithAnother(ctx, b)
	case b.Password != "":
		err = s.verifyKnowing(ctx, b)
	default:
		err = s.verifyIn(ctx, browser(in.Cookie), b.Token)
	}
	if err != nil {
		return nil, err
	}
	return &api.VerifyEmailResponse{SetCookie: []http.Cookie{forgotten()}}, nil
}

// verifyWithAnother replaces the password, and voids whatever was opened with the one before.
func (s *Service) verifyWithAnother(ctx context.Context, b api.Verification) error {
	hash, err := s.hashFor(ctx, choice{
		token:    b.Token,
		purpose:  api.LinkVerifyEmail,
		password: b.NewPassword,
		field:    "body.new_password",
	})
	if err != nil {
		return err
	}
	return s.redeem(ctx, b.Token, api.LinkVerifyEmail, func(ctx context.Context, r redemption) error {
		return s.openAnew(ctx, r, hash)
	})
}

// verifyKnowing takes the password that was chosen at sign-up. A wrong one does not use the link up.
func (s *Service) verifyKnowing(ctx context.Context, b api.Verification) error {
	link, err := s.look(ctx, b.Token, api.LinkVerifyEmail)
	if err != nil {
		return err
	}
	account, err := s.Store.Account(ctx, *link.AccountID)
	if err != nil {
		return err
	}
	known, err := s.confirm(ctx, account, b.Password, audit.AccountVerified)
	if err != nil {
		return err
	}
	return s.redeem(ctx, b.Token, api.LinkVerifyEmail, func(ctx context.Context, r redemption) error {
		present, err := r.tx.Password(ctx, r.account.ID)
		if err != nil {
			return err
		}
		if !present.Same(known) {
			return errWrongPassword()
		}
		return r.verify(ctx, "")
	})
}

// verifyIn takes the browser that signed up.
func (s *Service) verifyIn(ctx context.Context, b browser, token string) error {
	return s.redeem(ctx, token, api.LinkVerifyEmail, func(ctx context.Context, r redemption) error {
		ok, err := r.tx.IsSignUpBrowser(ctx, r.account.ID, b.hash(), r.now)
		if err != nil {
			return err
		}
		if !ok {
			return errs.New(errs.Invalid, "password_required",
				"Give the password that was chosen at sign-up, or choose another: this is not the browser that signed up.")
		}
		return r.verify(ctx, "")
	})
}

// ResendVerification implements [api.ResendVerification].
func (s *Service) ResendVerification(ctx context.Context, in *api.ResendVerificationRequest) (*struct{}, error) {
	return nil, s.evenly(ctx, func(ctx context.Context) error {
		return s.askForMail(ctx, address.KeyOf(in.Body.Email), s.requestVerification)
	})
}

func (s *Service) requestVerification(ctx context.Context, tx identity.Tx, a identity.Account) error {
	if a.Verified() {
		return nil
	}
	now := s.Clock()
	claimed, err := s.claimMail(ctx, tx, a, tx.ClaimVerificationMail, now)
	if err != nil || !claimed {
		return err
	}
	if err := s.auditOwn(ctx, tx, audit.VerificationRequested, a); err != nil {
		return err
	}
	return askedFor(ctx, tx, api.VerificationRequested, a.ID, a.Generation, now)
}
