package roles

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/etag"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
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
	account, err := existing(tx.LockAccount(ctx, id))
	if err != nil {
		return nil, err
	}
	if err := etag.Check(in.IfMatch, account.RolesVersion); err != nil {
		return nil, err
	}
	before, err := tx.RolesOf(ctx, id)
	if err != nil {
		return nil, err
	}
	after, err := named(ctx, tx, in.Body.Roles)
	if err != nil {
		return nil, err
	}
	added, removed := difference(after, before), difference(before, after)
	if len(added)+len(removed) == 0 {
		return assignment(before, account.RolesVersion), nil
	}
	if err := held(ctx, identity.Permissions(slices.Concat(added, removed))); err != nil {
		return nil, err
	}
	if slices.Contains(identity.Names(removed), api.RoleAdmin) {
		if err := s.anotherAdmin(ctx, tx, account); err != nil {
			return nil, err
		}
	}
	version, err := s.save(ctx, tx, id, before, after)
	if err != nil {
		return nil, err
	}
	return assignment(after, version), nil
}

// named are the roles of a request, or errs.Invalid "unknown_role" by their place in it.
func named(ctx context.Context, tx Tx, names []string) ([]identity.Role, error) {
	found, err := tx.RolesNamed(ctx, names)
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

// anotherAdmin refuses to take the role of the last administrator who can sign in. The lock on the role makes two who take it from each
// other come one after the other.
func (s *Service) anotherAdmin(ctx context.Context, tx Tx, account identity.Account) error {
	if _, err := tx.LockRole(ctx, api.RoleAdmin); err != nil {
		return err
	}
	admins, err := tx.ActiveMembers(ctx, api.RoleAdmin)
	if err != nil {
		return err
	}
	if account.Active() && admins <= 1 {
		return errs.New(errs.Conflict, "last_admin", "Nobody would be an administrator any more. Make somebody else one first.")
	}
	return nil
}

func (s *Service) save(ctx context.Context, tx Tx, id uuid.UUID, before, after []identity.Role) (int64, error) {
	now, by := s.Clock(), audit.System
	if who := authz.PrincipalFrom(ctx); who != nil {
		by = who.Subject
	}
	names := sorted(identity.Names(after))
	version, err := tx.SetRoles(ctx, id, names, by, now)
	if err != nil {
		return 0, err
	}
	entry, err := audit.New(ctx, now, audit.RolesAssigned, id.String())
	if err := s.record(ctx, tx, entry.With("before", sorted(identity.Names(before))).With("after", names), err); err != nil {
		return 0, err
	}
	err = identity.Publish(ctx, tx, api.RolesChanged, id, api.RolesChangedData{AccountID: id, Roles: names, Version: version, At: now.UTC()})
	if err != nil {
		return 0, err
	}
	return version, tx.RaiseUser(ctx, id, now, s.Keep)
}
