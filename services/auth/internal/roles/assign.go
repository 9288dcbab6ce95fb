package roles

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/etag"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/authority"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

// Assign implements [api.SetUserRoles].
func (s *Service) Assign(ctx context.Context, in *api.SetUserRolesRequest) (*api.UserRolesResponse, error) {
	id, err := uuid.Parse(in.ID)
	if err != nil {
		return nil, userNotFound(err)
	}
	if _, err := identity.ParseRoleNames("body.roles", in.Body.Roles); err != nil {
		return nil, err
	}
	var out *api.UserRolesResponse
	err = s.Store.InTx(ctx, func(tx Tx) error {
		out, err = s.assign(ctx, tx, id, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Service) assign(ctx context.Context, tx Tx, id uuid.UUID, in *api.SetUserRolesRequest) (*api.UserRolesResponse, error) {
	c, err := s.Rule.Over(ctx, tx, api.VerbAssignRoles, id)
	if err != nil {
		return nil, err
	}
	account, before := c.Target.Account, c.Target.Roles
	if account.Status == identity.StatusDeleted {
		return nil, errs.New(errs.Conflict, "user_deleted", "The user is deleted; restore it first.")
	}
	if err := etag.Check(in.IfMatch, account.RolesVersion); err != nil {
		return nil, err
	}
	after, err := named(ctx, tx, in.Body.Roles)
	if err != nil {
		return nil, err
	}
	added, removed := difference(after, c.Target.Roles), difference(c.Target.Roles, after)
	if len(added)+len(removed) == 0 {
		return assignment(before, account.RolesVersion), nil
	}
	if err := c.Caller.MayGive(identity.Permissions(slices.Concat(added, removed))); err != nil {
		return nil, err
	}
	if slices.Contains(identity.Names(removed), api.RoleAdmin) {
		if err := s.Rule.AnotherAdmin(ctx, tx, c.Target); err != nil {
			return nil, err
		}
	}
	version, err := s.save(ctx, tx, c, after)
	if err != nil {
		return nil, err
	}
	return assignment(after, version), nil
}

// named are the roles of a request, held as they are, or errs.Invalid "unknown_role" by their place in it.
func named(ctx context.Context, tx Tx, names []string) ([]identity.Role, error) {
	found, err := tx.ShareRoles(ctx, names)
	if err != nil {
		return nil, err
	}
	var fields []errs.Field
	for i, name := range names {
		if !slices.Contains(identity.Names(found), name) {
			fields = append(fields, errs.Field{Field: fmt.Sprintf("body.roles[%d]", i), Code: "unknown_role", Message: "is not a role that exists"})
		}
	}
	if len(fields) > 0 {
		return nil, errs.New(errs.Invalid, "unknown_role", "There is no such role.").WithFields(fields...)
	}
	return found, nil
}

func difference(a, b []identity.Role) []identity.Role {
	names := identity.Names(b)
	return slices.DeleteFunc(slices.Clone(a), func(r identity.Role) bool { return slices.Contains(names, r.Name) })
}

func (s *Service) save(ctx context.Context, tx Tx, c authority.Case, after []identity.Role) (int64, error) {
	id, now, names := c.Target.Account.ID, s.Clock(), sorted(identity.Names(after))
	version, err := tx.SetRoles(ctx, id, names, c.Caller.Subject, now)
	if err != nil {
		return 0, err
	}
	entry, err := audit.New(ctx, now, audit.RolesAssigned, id.String())
	if err := s.record(ctx, tx, entry.With("before", sorted(identity.Names(c.Target.Roles))).With("after", names), err); err != nil {
		return 0, err
	}
	err = identity.Publish(ctx, tx, api.RolesChanged, id, api.RolesChangedData{
		AccountID: id,
		Roles:     names,
		Version:   version,
		Added:     sorted(identity.Names(difference(after, c.Target.Roles))),
		Removed:   sorted(identity.Names(difference(c.Target.Roles, after))),
		By:        c.Caller.Subject,
		At:        now.UTC(),
	})
	if err != nil {
		return 0, err
	}
	return version, tx.RaiseUser(ctx, id, now, s.Keep)
}
