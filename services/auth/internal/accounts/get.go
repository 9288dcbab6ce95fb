package accounts

import (
	"context"
	"errors"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

// Get implements [api.GetAccount]. People read their own account alone: what others may know of it is up to users.
func (s *Service) Get(ctx context.Context, in *api.GetAccountRequest) (*api.GetAccountResponse, error) {
	if who := authz.PrincipalFrom(ctx); who == nil || who.Subject != in.ID.String() {
		return nil, errs.New(errs.NotFound, "account_not_found", "There is no such account.")
	}
	account, err := s.Store.Account(ctx, in.ID)
	if errors.Is(err, errs.NotFound) {
		return nil, errs.New(errs.NotFound, "account_not_found", "There is no such account.").WithCause(err)
	}
	if err != nil {
		return nil, err
	}
	roles, err := s.Store.RolesOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &api.GetAccountResponse{
		ID:              account.ID,
		Email:           account.Email,
		FullName:        account.FullName,
		Locale:          account.Locale,
		Status:          account.Status,
		Roles:           identity.Names(roles),
		Verified:        account.Verified(),
		CreatedAt:       account.CreatedAt.UTC(),
		StandingVersion: account.StatusVersion,
		RolesVersion:    account.RolesVersion,
	}, nil
}
