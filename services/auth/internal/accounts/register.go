package accounts

import (
	"context"
	"errors"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/person"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/address"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/password"
)

// Register implements [api.Register].
func (s *Service) Register(ctx context.Context, in *api.RegisterRequest) (*api.RegisterResponse, error) {
	if !s.RegistrationEnabled {
		return nil, errs.New(errs.Forbidden, "registration_disabled", "People cannot sign up here; ask for an invitation.")
	}
	made, err := s.prepare(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	var account identity.Account
	err = s.Store.InTx(by(ctx, made.ID), func(tx identity.Tx) error {
		account, err = Add(by(ctx, made.ID), tx, made, s.Clock())
		return err
	})
	if err != nil {
		return nil, err
	}
	return Registered(account), nil
}

// prepare checks a registration and hashes its password, which is done outside of any transaction.
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
	_, err = s.Store.AccountByEmail(ctx, made.Address.Key)
	if err == nil {
		return made, errs.New(errs.Conflict, "email_taken", "There is an account with this address.")
	}
	if !errors.Is(err, errs.NotFound) {
		return made, err
	}
	made.PasswordHash, err = s.Passwords.Hash(ctx, r.Password)
	return made, err
}

// Registered is the answer that tells of a new account.
func Registered(a identity.Account) *api.RegisterResponse {
	return &api.RegisterResponse{
		Location: "/api/v1/users/" + a.ID.String(),
		Body:     api.RegisteredAccount{ID: a.ID.String(), Email: a.Email, FullName: a.FullName, CreatedAt: a.CreatedAt.UTC()},
	}
}
