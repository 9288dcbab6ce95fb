package accounts

import (
	"context"
	"net/http"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/person"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/address"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/password"
)

// Register implements [api.Register]. Unless accounts are revealed, whoever asks learns nothing of the address: what can be refused is
// refused before anybody looks whether there is an account, the password is hashed in any case, and what differs after that is done
// within one and the same time.
func (s *Service) Register(ctx context.Context, in *api.RegisterRequest) (*api.RegisterResponse, error) {
	if !s.RegistrationEnabled {
		return nil, errs.New(errs.Forbidden, "registration_disabled", "People cannot sign up here; ask for an invitation.")
	}
	made, err := s.prepare(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	browser := browserOf(in.Cookie)
	if s.RevealsAccounts {
		account, err := s.signUp(ctx, made, browser)
		if err != nil {
			return nil, err
		}
		return revealed(account, browser), nil
	}
	err = s.evenly(ctx, func(ctx context.Context) error {
		_, err := s.signUp(ctx, made, browser)
		if errs.From(err) != nil && errs.From(err).Code == errEmailTaken().Code {
			return s.attempted(ctx, made.Address)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &api.RegisterResponse{
		Status:    http.StatusAccepted,
		SetCookie: []http.Cookie{browser.cookie()},
		Body:      api.SignedUp{Email: made.Address.Typed},
	}, nil
}

// prepare checks a registration and hashes its password, which is done outside of any transaction. It does not look whether there is
// such an account.
func (s *Service) prepare(ctx context.Context, r api.Registration) (made NewAccount, err error) {
	made = NewAccount{Origin: api.OriginSignUp}
	if made.ID, err = identity.NewID(); err != nil {
		return made, err
	}
	if made.Address, err = address.Parse("body.email", r.Email); err != nil {
		return made, err
	}
	if made.FullName, err = person.Name("body.full_name", r.FullName); err != nil {
		return made, err
	}
	if made.Locale, err = person.OptionalLocale("body.locale", r.Locale); err != nil {
		return made, err
	}
	if err = s.Policy.Choose(ctx, "body.password", r.Password, password.Person{Email: made.Address.Typed, FullName: made.FullName}); err != nil {
		return made, err
	}
	made.PasswordHash, err = s.Passwords.Hash(ctx, r.Password)
	return made, err
}

// signUp makes the account. It is errs.Conflict "email_taken" when there is one with this address, also when two sign up at once.
func (s *Service) signUp(ctx context.Context, made NewAccount, b browser) (account identity.Account, err error) {
	ctx = by(ctx, made.ID)
	err = s.Store.InTx(ctx, func(tx identity.Tx) error {
		if err := free(ctx, tx, made.Address.Key); err != nil {
			return err
		}
		now := s.Clock()
		wait, err := s.Mailboxes.Claim(ctx, tx, made.ID, made.Address.Key, now)
		if err != nil {
			return err
		}
		made.Unmailed = wait > 0
		if account, err = Add(ctx, tx, made, now); err != nil {
			return err
		}
		return tx.KeepSignUpBrowser(ctx, account.ID, b.hash(), now.Add(browserTTL))
	})
	return account, err
}

// free spares the database the violated constraint, which is what decides.
func free(ctx context.Context, tx identity.Tx, emailKey string) error {
	_, err := tx.AccountByEmail(ctx, emailKey)
	switch errs.KindOf(err) {
	case errs.NotFound:
		return nil
	case "":
		return errEmailTaken()
	default:
		return err
	}
}

func errEmailTaken() *errs.Error {
	return errs.New(errs.Conflict, "email_taken", "There is an account with this address.")
}

func revealed(a identity.Account, b browser) *api.RegisterResponse {
	made := Registered(a)
	return &api.RegisterResponse{
		Status:    http.StatusCreated,
		Location:  made.Location,
		SetCookie: []http.Cookie{b.cookie()},
		Body: api.SignedUp{
			Email:     made.Body.Email,
			ID:        made.Body.ID,
			FullName:  made.Body.FullName,
			CreatedAt: &made.Body.CreatedAt,
		},
	}
}

// Registered is the answer that tells of a new account.
func Registered(a identity.Account) *api.AccountResponse {
	return &api.AccountResponse{
		Location: "/api/v1/users/" + a.ID.String(),
		Body:     api.RegisteredAccount{ID: a.ID.String(), Email: a.Email, FullName: a.FullName, CreatedAt: a.CreatedAt.UTC()},
	}
}
