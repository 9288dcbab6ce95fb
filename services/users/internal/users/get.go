package users

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/person"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/users/api"
)

// Get reads a user.
func (s *Service) Get(ctx context.Context, in *api.GetUserRequest) (*api.UserResponse, error) {
	id, err := parseID(in.ID)
	if err != nil {
		return nil, err
	}
	u, err := s.find(ctx, id)
	if err != nil {
		return nil, err
	}
	return response(u), nil
}

// GetMe reads the caller's own user.
func (s *Service) GetMe(ctx context.Context, _ *api.GetMeRequest) (*api.UserResponse, error) {
	id, err := s.me(ctx)
	if err != nil {
		return nil, err
	}
	return s.Get(ctx, &api.GetUserRequest{ID: id.String()})
}

// me is the caller's id. A token of another issuer has no user here.
func (s *Service) me(ctx context.Context) (uuid.UUID, error) {
	p := authz.PrincipalFrom(ctx)
	if p == nil {
		return uuid.UUID{}, errs.New(errs.Unauthenticated, "token_missing", "Sign in first: this needs an access token.")
	}
	return parseID(p.Subject)
}

// find reads a user. People who ask for themselves in the moment after signing up, before the event of their account has arrived here,
// are made from the account at once.
func (s *Service) find(ctx context.Context, id uuid.UUID) (User, error) {
	u, err := s.Store.User(ctx, id)
	if !errors.Is(err, errs.NotFound) {
		return u, err
	}
	if !own(ctx, id) {
		return u, notFound()
	}
	if err := s.adopt(ctx, id); err != nil {
		return u, err
	}
	if u, err = s.Store.User(ctx, id); errors.Is(err, errs.NotFound) {
		return u, notFound()
	}
	return u, err
}

// adopt makes the profile of an account that auth knows.
func (s *Service) adopt(ctx context.Context, id uuid.UUID) error {
	a, err := s.Accounts.Get(ctx, &auth.GetAccountRequest{ID: id})
	if errors.Is(err, errs.NotFound) || err == nil && auth.Standing(a.Status) == auth.StandingErased {
		return notFound()
	}
	if err != nil {
		return fmt.Errorf("adopt an account: %w", err)
	}
	n, err := NewUser{
		ID:            id,
		Email:         a.Email,
		EmailVerified: a.Verified,
		Profile:       Profile{FullName: nameOf(a), Locale: good(person.Locale, a.Locale)},
		Roles:         a.Roles,
		RolesVersion:  a.RolesVersion,
		CreatedAt:     a.CreatedAt,
	}.Parse("data")
	if err != nil { // no address of auth's, or no role
		return errs.New(errs.Internal, "internal", "The account cannot be read.").WithCause(err)
	}
	return s.Store.InTx(ctx, func(tx Tx) error {
		_, err := Join(ctx, tx, n, s.standing(ctx, id, auth.Standing(a.Status), a.StandingVersion))
		return err
	})
}

// nameOf is what to call somebody whose name may be from before the rule for names: by it, by the address, or in any case by the id. People
// can change it; they could not get in to do so without one.
func nameOf(a *auth.GetAccountResponse) string {
	local, _, _ := strings.Cut(a.Email, "@")
	return cmp.Or(good(person.Name, a.FullName), good(person.Name, local), a.ID.String())
}
