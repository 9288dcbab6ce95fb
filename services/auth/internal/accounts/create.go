package accounts

import (
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/person"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/address"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

// Create implements [api.CreateAccount].
func (s *Service) Create(ctx context.Context, in *api.CreateAccountRequest) (*api.CreateAccountResponse, error) {
	made, err := s.invited(ctx, in)
	if err != nil {
		return nil, err
	}
	if account, err := s.Store.Account(ctx, made.ID); !errors.Is(err, errs.NotFound) {
		return same(account, made, err)
	}
	var account identity.Account
	err = s.Store.InTx(ctx, func(tx identity.Tx) error {
		account, err = Add(ctx, tx, made, s.Clock())
		return err
	})
	if errors.Is(err, errs.Conflict) { // perhaps by the same request, which came twice
		if before, again := s.Store.Account(ctx, made.ID); again == nil {
			return same(before, made, nil)
		}
	}
	return created(account, err)
}

func (s *Service) invited(ctx context.Context, in *api.CreateAccountRequest) (made NewAccount, err error) {
	made = NewAccount{ID: in.ID, Origin: api.OriginInvitation}
	if in.ID == uuid.Nil {
		return made, errs.InvalidField("body.id", "required", "must not be empty")
	}
	if made.Address, err = address.Parse("body.email", in.Email); err != nil {
		return made, err
	}
	if made.FullName, err = person.Name("body.full_name", in.FullName); err != nil {
		return made, err
	}
	if made.Locale, err = person.OptionalLocale("body.locale", in.Locale); err != nil {
		return made, err
	}
	if made.Roles, err = identity.ParseRoleNames("body.roles", in.Roles); err != nil {
		return made, err
	}
	return made, s.mayGive(ctx, made.roles())
}

// mayGive is nil when the roles exist and whoever the request comes from may give them away: nobody gives more than he has.
func (s *Service) mayGive(ctx context.Context, names []string) error {
	roles, err := s.Store.RolesNamed(ctx, names)
	if err != nil {
		return err
	}
	if len(roles) != len(names) {
		return errs.New(errs.Invalid, "unknown_role", "There is no such role.").
			WithFields(errs.Field{Field: "body.roles", Code: "unknown_role", Message: "must be names of roles"})
	}
	who := authz.PrincipalFrom(ctx)
	if who == nil || slices.Equal(names, []string{api.RoleUser}) {
		return nil
	}
	held := who.Can(api.PermRolesAssign)
	for _, permission := range identity.Permissions(roles) {
		held = held && who.Can(permission)
	}
	if !held {
		return errs.New(errs.Forbidden, "permission_not_held", "You cannot give away a role that allows what you may not.")
	}
	return nil
}

// same answers with an account that is there already, if it is the one that was asked for.
func same(account identity.Account, made NewAccount, err error) (*api.CreateAccountResponse, error) {
	if err == nil && account.EmailKey != made.Address.Key {
		err = errs.New(errs.Conflict, "id_taken", "There is an account with this id.")
	}
	return created(account, err)
}

func created(account identity.Account, err error) (*api.CreateAccountResponse, error) {
	if err != nil {
		return nil, err
	}
	return &api.CreateAccountResponse{ID: account.ID, Email: account.Email, CreatedAt: account.CreatedAt.UTC()}, nil
}
