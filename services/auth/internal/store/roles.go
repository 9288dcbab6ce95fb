package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/roles"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/db"
)

// Roles is the store as package roles sees it.
func (s *Store) Roles() roles.Store { return roleStore{s} }

type roleStore struct{ *Store }

func (s roleStore) InTx(ctx context.Context, fn func(tx roles.Tx) error) error {
	return pg.InTx(ctx, s.pool, func(tx pgx.Tx) error { return fn(WithTx(tx)) })
}

func (r records) Role(ctx context.Context, name string) (identity.Role, error) {
	row, err := r.q.GetRole(ctx, db.GetRoleParams{OrgID: identity.Org, Name: name})
	return identity.Role(row), err
}

func (r records) LockRole(ctx context.Context, name string) (identity.Role, error) {
	row, err := r.q.LockRole(ctx, db.LockRoleParams{OrgID: identity.Org, Name: name})
	return identity.Role(row), err
}

func (r records) RolesAfter(ctx context.Context, after string, offset int64, limit int32) ([]identity.Role, error) {
	rows, err := r.q.ListRoles(ctx, db.ListRolesParams{OrgID: identity.Org, After: after, RowOffset: rowOffset(offset), RowLimit: limit})
	return rolesOf(rows), err
}

func (r records) CountRoles(ctx context.Context) (int64, error) {
	return r.q.CountRoles(ctx, identity.Org)
}

func (r records) MembersOf(ctx context.Context, role string) ([]uuid.UUID, error) {
	return r.q.ListRoleMembers(ctx, db.ListRoleMembersParams{OrgID: identity.Org, Role: role})
}

func (r records) CountMembers(ctx context.Context, role string) (int64, error) {
	return r.q.CountRoleMembers(ctx, db.CountRoleMembersParams{OrgID: identity.Org, Role: role})
}

func (r records) HasOtherMember(ctx context.Context, role string, than uuid.UUID, verifiedOnly bool) (bool, error) {
	return r.q.HasOtherMember(ctx, db.HasOtherMemberParams{
		OrgID:        identity.Org,
		Role:         role,
		OtherThan:    than,
		VerifiedOnly: verifiedOnly,
	})
}

func (r records) HasStrongerMember(ctx context.Context, role string, held []string) (bool, error) {
	return r.q.HasStrongerMember(ctx, db.HasStrongerMemberParams{OrgID: identity.Org, Role: role, Held: held})
}

func (r records) AddRole(ctx context.Context, role identity.Role) (identity.Role, error) {
	row, err := r.q.InsertRole(ctx, db.InsertRoleParams{
		OrgID: identity.Org, Name: role.Name, Description: role.Description, Permissions: role.Permissions, At: role.CreatedAt,
	})
	return identity.Role(row), meaning(err)
}

func (r records) ChangeRole(ctx context.Context, role identity.Role, at time.Time) (identity.Role, error) {
	row, err := r.q.UpdateRole(ctx, db.UpdateRoleParams{
		OrgID: identity.Org, Name: role.Name, Description: role.Description, Permissions: role.Permissions, At: at,
	})
	return identity.Role(row), err
}

func (r records) RemoveRole(ctx context.Context, name string) error {
	return r.q.DeleteRole(ctx, db.DeleteRoleParams{OrgID: identity.Org, Name: name})
}

func (r records) SetRoles(ctx context.Context, account uuid.UUID, names []string, by string, at time.Time) (int64, error) {
	if err := r.q.RemoveAccountRolesExcept(ctx, db.RemoveAccountRolesExceptParams{AccountID: account, Roles: names}); err != nil {
		return 0, err
	}
	if err := r.AddRoles(ctx, account, names, by, at); err != nil {
		return 0, err
	}
	return r.q.BumpRolesVersion(ctx, db.BumpRolesVersionParams{ID: account, At: at})
}

// rowOffset is an offset as SQL takes it here; there are not so many rows.
func rowOffset(offset int64) int32 { return int32(min(offset, 1<<31-1)) } //nolint:gosec // bounded here
