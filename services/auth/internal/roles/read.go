package roles

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/etag"
	"github.com/atrium-mesh/atrium/pkg/page"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

const listScope = "roles"

// List implements [api.ListRoles].
func (s *Service) List(ctx context.Context, in *api.ListRolesRequest) (*api.RolesResponse, error) {
	after := ""
	if in.Cursor != "" {
		if err := s.Cursors.Decode(listScope, in.Cursor, &after); err != nil {
			return nil, err
		}
	}
	total, err := s.Store.CountRoles(ctx)
	if err != nil {
		return nil, err
	}
	found, err := s.Store.RolesAfter(ctx, after, in.Offset(), in.Limit())
	if err != nil {
		return nil, err
	}
	next := ""
	if len(found) == int(in.Limit()) {
		if next, err = s.Cursors.Encode(listScope, found[len(found)-1].Name); err != nil {
			return nil, err
		}
	}
	items := make([]api.Role, len(found))
	for i, r := range found {
		items[i] = shown(r)
	}
	return &api.RolesResponse{Body: page.New(in.Query, items, total, next)}, nil
}

// Get implements [api.GetRole].
func (s *Service) Get(ctx context.Context, in *api.RoleRequest) (*api.RoleResponse, error) {
	r, err := s.Store.Role(ctx, in.Name)
	if errors.Is(err, errs.NotFound) {
		return nil, roleNotFound(err)
	}
	if err != nil {
		return nil, err
	}
	return answer(r), nil
}

func answer(r identity.Role) *api.RoleResponse {
	return &api.RoleResponse{ETag: etag.Of(r.Version), Location: api.ListRoles.Path + "/" + r.Name, Body: shown(r)}
}

// Of implements [api.GetUserRoles].
func (s *Service) Of(ctx context.Context, in *api.UserRolesRequest) (*api.UserRolesResponse, error) {
	id, err := uuid.Parse(in.ID)
	if err != nil {
		return nil, userNotFound(err)
	}
	account, err := existing(s.Store.Account(ctx, id))
	if err != nil {
		return nil, err
	}
	has, err := s.Store.RolesOf(ctx, id)
	if err != nil {
		return nil, err
	}
	return assignment(has, account.RolesVersion), nil
}

// existing turns an account that is not there, or was erased, into the answer for it.
func existing(account identity.Account, err error) (identity.Account, error) {
	if errors.Is(err, errs.NotFound) || err == nil && account.Status == identity.StatusErased {
		return identity.Account{}, userNotFound(err)
	}
	return account, err
}

func assignment(has []identity.Role, version int64) *api.UserRolesResponse {
	return &api.UserRolesResponse{
		ETag: etag.Of(version),
		Body: api.UserRoles{Roles: sorted(identity.Names(has)), Permissions: identity.Permissions(has), Version: version},
	}
}
