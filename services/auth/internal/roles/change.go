package roles

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/etag"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/authority"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

// Create implements [api.CreateRole].
func (s *Service) Create(ctx context.Context, in *api.CreateRoleRequest) (*api.RoleResponse, error) {
	asked, err := newRole(in.Body)
	if err != nil {
		return nil, err
	}
	now := s.Clock()
	asked.CreatedAt, asked.UpdatedAt = now, now
	var made identity.Role
	err = s.Store.InTx(ctx, func(tx Tx) error {
		caller, err := s.writer(ctx, tx, nil)
		if err != nil {
			return err
		}
		if err := caller.MayGive(asked.Permissions); err != nil {
			return err
		}
		made, err = tx.AddRole(ctx, asked)
		if err != nil {
			return err
		}
		entry, err := audit.New(ctx, now, audit.RoleCreated, made.Name)
		return s.record(ctx, tx, entry.With("permissions", asked.Permissions), err)
	})
	if err != nil {
		return nil, err
	}
	return answer(made), nil
}

// errJoined says that somebody was given the role while its members were being locked.
var errJoined = errors.New("the members of the role have changed")

// Update implements [api.UpdateRole]. New permissions are true for everybody with the role at once.
func (s *Service) Update(ctx context.Context, in *api.UpdateRoleRequest) (*api.RoleResponse, error) {
	change := *in
	var err error
	if change.Body, err = parse(in.Body); err != nil {
		return nil, err
	}
	const attempts = 5
	for attempt := 1; ; attempt++ {
		members, err := s.Store.MembersOf(ctx, in.Name)
		if err != nil {
			return nil, err
		}
		var changed identity.Role
		err = s.Store.InTx(ctx, func(tx Tx) error {
			changed, err = s.update(ctx, tx, &change, members)
			return err
		})
		if errors.Is(err, errJoined) {
			if attempt < attempts {
				continue
			}
			return nil, errs.New(errs.Conflict, "role_busy", "The role is being given to people right now; try again in a moment.").
				WithRetryAfter(time.Second).WithCause(err)
		}
		if err != nil {
			return nil, err
		}
		return answer(changed), nil
	}
}

// update changes a role whose members are known. Their accounts are locked before the role, in the order in which everybody does it, so
// that no token is issued from the permissions that are about to change.
func (s *Service) update(ctx context.Context, tx Tx, in *api.UpdateRoleRequest, members []uuid.UUID) (identity.Role, error) {
	caller, err := s.writer(ctx, tx, members)
	if err != nil {
		return identity.Role{}, err
	}
	before, err := s.lock(ctx, tx, in.Name, in.IfMatch)
	if err != nil {
		return before, err
	}
	permissions := in.Body.Permissions
	added, removed := without(permissions, before.Permissions), without(before.Permissions, permissions)
	if len(added)+len(removed) == 0 && in.Body.Description == before.Description {
		return before, nil
	}
	if err := caller.MayGive(slices.Concat(added, removed)); err != nil {
		return before, err
	}
	if err := overMembers(ctx, tx, caller, before.Name); err != nil {
		return before, err
	}
	now := s.Clock()
	after := before
	after.Description, after.Permissions = in.Body.Description, permissions
	if after, err = tx.ChangeRole(ctx, after, now); err != nil {
		return after, err
	}
	entry, err := audit.New(ctx, now, audit.RoleUpdated, after.Name)
	if err := s.record(ctx, tx, entry.With("added", added).With("removed", removed), err); err != nil {
		return after, err
	}
	if len(added)+len(removed) == 0 {
		return after, nil
	}
	return after, s.revoke(ctx, tx, after.Name, members, now)
}

// writer is the caller, who may write roles now, with the members' accounts locked.
func (s *Service) writer(ctx context.Context, tx Tx, members []uuid.UUID) (authority.Holder, error) {
	caller, err := s.Rule.Among(ctx, tx, members)
	if err != nil {
		return caller, err
	}
	return caller, caller.MayUse(api.PermRolesWrite)
}

// overMembers refuses to change the role, its description too, of people who may do more than the caller: it is acting on each of them.
func overMembers(ctx context.Context, tx Tx, caller authority.Holder, role string) error {
	stronger, err := tx.HasStrongerMember(ctx, role, caller.Permissions)
	if err == nil && stronger {
		err = errs.New(errs.Forbidden, "stronger_target", "Somebody with this role has a permission that you do not hold yourself.")
	}
	return err
}

// revoke refuses the tokens of everybody with a role. Members are those whose accounts are locked; while the role is locked, nobody can
// join them.
func (s *Service) revoke(ctx context.Context, tx Tx, role string, members []uuid.UUID, now time.Time) error {
	present, err := tx.MembersOf(ctx, role)
	if err != nil {
		return err
	}
	for _, member := range present {
		if !slices.Contains(members, member) {
			return errJoined
		}
		if err := tx.RaiseUser(ctx, member, now, s.Keep); err != nil {
			return err
		}
	}
	return nil
}

// lock holds a role that may be changed in the version that the caller has seen.
func (s *Service) lock(ctx context.Context, tx Tx, name, ifMatch string) (identity.Role, error) {
	r, err := tx.LockRole(ctx, name)
	switch {
	case errors.Is(err, errs.NotFound):
		return r, roleNotFound(err)
	case err != nil:
		return r, err
	case r.BuiltIn:
		return r, errs.New(errs.Conflict, "role_built_in", "This role is always there and cannot be changed.")
	default:
		return r, etag.Check(ifMatch, r.Version)
	}
}

// Delete implements [api.DeleteRole].
func (s *Service) Delete(ctx context.Context, in *api.DeleteRoleRequest) (*struct{}, error) {
	err := s.Store.InTx(ctx, func(tx Tx) error {
		caller, err := s.writer(ctx, tx, nil)
		if err != nil {
			return err
		}
		r, err := s.lock(ctx, tx, in.Name, in.IfMatch)
		if err != nil {
			return err
		}
		if err := caller.MayGive(r.Permissions); err != nil {
			return err
		}
		members, err := tx.MembersOf(ctx, r.Name)
		if err != nil {
			return err
		}
		if len(members) > 0 {
			return errs.New(errs.Conflict, "role_in_use", fmt.Sprintf("Take the role from everybody first: %d have it.", len(members)))
		}
		if err := tx.RemoveRole(ctx, r.Name); err != nil {
			return err
		}
		entry, err := audit.New(ctx, s.Clock(), audit.RoleDeleted, r.Name)
		return s.record(ctx, tx, entry.With("permissions", r.Permissions), err)
	})
	if err != nil {
		return nil, err
	}
	return &struct{}{}, nil
}
