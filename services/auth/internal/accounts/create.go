package accounts

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/person"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/address"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

// Create implements [api.CreateAccount].
func (s *Service) Create(ctx context.Context, in *api.CreateAccountRequest) (*api.CreateAccountResponse, error) {
	made, err := invited(in)
	if err != nil {
		return nil, err
	}
	var out *api.CreateAccountResponse
	var wait time.Duration
	err = s.Store.InTx(ctx, func(tx identity.Tx) error {
		if err := s.mayInvite(ctx, tx, made.roles()); err != nil {
			return err
		}
		account, err := tx.Account(ctx, made.ID)
		if errors.Is(err, errs.NotFound) {
			now := s.Clock()
			if wait, err = s.Mailboxes.Claim(ctx, tx, made.ID, made.Address.Key, now); err != nil || wait > 0 {
				return err
			}
			account, err = Add(ctx, tx, made, now)
		}
		out, err = same(account, made, err)
		return err
	})
	if err == nil && wait > 0 {
		return nil, errMailboxFull().WithRetryAfter(wait)
	}
	if errors.Is(err, errs.Conflict) { // perhaps by the same request, which came twice
		if before, again := s.Store.Account(ctx, made.ID); again == nil {
			return same(before, made, nil)
		}
	}
	return out, err
}

func invited(in *api.CreateAccountRequest) (made NewAccount, err error) {
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
	made.Roles, err = identity.ParseRoleNames("body.roles", in.Roles)
	return made, err
}

// mayInvite is nil when the roles exist and the caller may make somebody who has them: nobody gives more than they have.
func (s *Service) mayInvite(ctx context.Context, tx identity.Tx, names []string) error {
	caller, err := s.Rule.Caller(ctx, tx)
	if err != nil {
		return err
	}
	roles, err := tx.ShareRoles(ctx, names)
	if err != nil {
		return err
	}
	if len(roles) != len(names) {
		return errs.New(errs.Invalid, "unknown_role", "There is no such role.").
			WithFields(errs.Field{Field: "body.roles", Code: "unknown_role", Message: "must be names of roles"})
	}
	needed := append(identity.Permissions(roles), api.PermUsersWrite)
	if !slices.Equal(names, []string{api.RoleUser}) {
		needed = append(needed, api.PermRolesAssign)
	}
	return caller.MayGive(needed)
}

func errMailboxFull() *errs.Error {
	return errs.New(errs.RateLimited, "mailbox_full", "This mailbox was sent many mails lately, so that the invitation cannot be sent; try again later.")
}

// same answers with an account that is there, if it is the one that was asked for.
func same(account identity.Account, made NewAccount, err error) (*api.CreateAccountResponse, error) {
	if err == nil && account.EmailKey != made.Address.Key {
		err = errs.New(errs.Conflict, "id_taken", "There is an account with this id.")
	}
	if err != nil {
		return nil, err
	}
	return &api.CreateAccountResponse{
		ID:              account.ID,
		Email:           account.Email,
		CreatedAt:       account.CreatedAt.UTC(),
		Standing:        api.Standing(account.Status),
		StandingVersion: account.StatusVersion,
	}, nil
}
