package roles_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/authtest"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/roles"
)

type bundle struct {
	*authtest.Bundle
	*roles.Service
	admin identity.Account
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := authtest.New(t)
	s := roles.New(roles.Deps{Store: b.Store.Roles(), Keep: authtest.Keep, Cursors: b.Cursors, Clock: b.Clock.Now})
	return &bundle{Bundle: b, Service: s, admin: b.Account(t, "root@example.com", api.RoleAdmin, api.RoleUser)}
}

// asAdmin may do everything.
func (b *bundle) asAdmin(t *testing.T) context.Context {
	return authtest.As(t.Context(), b.admin.ID, api.Permissions()...)
}

func (b *bundle) role(t *testing.T, name string, permissions ...string) *api.RoleResponse {
	t.Helper()
	out, err := b.Create(b.asAdmin(t), &api.CreateRoleRequest{Body: api.NewRole{Name: name, Description: "About " + name, Permissions: permissions}})
	require.NoError(t, err)
	return out
}

func assignment(id uuid.UUID, ifMatch string, names ...string) *api.SetUserRolesRequest {
	return &api.SetUserRolesRequest{ID: id.String(), IfMatch: ifMatch, Body: api.RoleAssignment{Roles: names}}
}

func update(name, ifMatch, description string, permissions ...string) *api.UpdateRoleRequest {
	return &api.UpdateRoleRequest{Name: name, IfMatch: ifMatch, Body: api.RoleUpdate{Description: description, Permissions: permissions}}
}

func refused(t *testing.T, err error, kind errs.Kind, code string) {
	t.Helper()
	require.ErrorIs(t, err, kind)
	require.Equal(t, code, errs.From(err).Code)
}

// watermarks is how many users have one.
func (b *bundle) watermarks(t *testing.T) int {
	return b.Int(t, "SELECT count(*) FROM watermarks WHERE scope = 'user'")
}

func (b *bundle) audited(t *testing.T, action string) int {
	return b.Int(t, "SELECT count(*) FROM audit_log WHERE action = $1 AND outcome = 'success'", action)
}

func TestCreate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	out := b.role(t, "auditor", api.PermUsersRead, api.PermAuditRead, api.PermAuditRead)
	require.Equal(t, `"1"`, out.ETag)
	require.Equal(t, "/api/v1/roles/auditor", out.Location)
	require.Equal(t, []string{"audit:read", "users:read"}, out.Body.Permissions)
	require.False(t, out.Body.BuiltIn)
	require.Equal(t, 1, b.audited(t, audit.RoleCreated))

	got, err := b.Get(t.Context(), &api.RoleRequest{Name: "auditor"})
	require.NoError(t, err)
	require.Equal(t, out, got)

	for name, c := range map[string]struct {
		ctx         context.Context
		role        string
		permissions []string
		kind        errs.Kind
		code        string
	}{
		"there is one":       {b.asAdmin(t), "auditor", nil, errs.Conflict, "role_exists"},
		"built in":           {b.asAdmin(t), "admin", nil, errs.Conflict, "role_exists"},
		"unknown permission": {b.asAdmin(t), "x-ray", []string{"users:read", "users:xray"}, errs.Invalid, "unknown_permission"},
		"not held":           {authtest.As(t.Context(), b.admin.ID, api.PermRolesWrite, api.PermUsersRead), "mighty", []string{"users:read", "users:write"}, errs.Forbidden, "permission_not_held"},
		"by nobody":          {t.Context(), "mighty", []string{"users:read"}, errs.Unauthenticated, "token_missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := b.Create(c.ctx, &api.CreateRoleRequest{Body: api.NewRole{Name: c.role, Permissions: c.permissions}})
			refused(t, err, c.kind, c.code)
			if c.code == "unknown_permission" {
				require.Equal(t, []errs.Field{{Field: "body.permissions[1]", Code: "unknown_permission", Message: "is not a permission that exists"}}, errs.From(err).Fields)
			}
		})
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 4 {
		b.role(t, fmt.Sprintf("role-%d", i))
	}
	in := &api.ListRolesRequest{}
	in.PageSize = 3
	var names []string
	for {
		out, err := b.List(t.Context(), in)
		require.NoError(t, err)
		require.EqualValues(t, 7, out.Body.Total)
		require.Equal(t, 3, out.Body.Pages)
		for _, r := range out.Body.Items {
			names = append(names, r.Name)
		}
		if in.Cursor = out.Body.NextCursor; in.Cursor == "" {
			break
		}
	}
	require.Equal(t, []string{"admin", "role-0", "role-1", "role-2", "role-3", "support", "user"}, names)

	in = &api.ListRolesRequest{}
	in.Page, in.PageSize = 2, 3
	out, err := b.List(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, "role-2", out.Body.Items[0].Name)
	in.Cursor = "forged"
	_, err = b.List(t.Context(), in)
	refused(t, err, errs.Malformed, "invalid_cursor")
}

func TestGet_built_in_roles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	admin, err := b.Get(t.Context(), &api.RoleRequest{Name: api.RoleAdmin})
	require.NoError(t, err)
	require.ElementsMatch(t, api.Permissions(), admin.Body.Permissions, "an administrator holds every permission there is")
	require.True(t, admin.Body.BuiltIn)
	user, err := b.Get(t.Context(), &api.RoleRequest{Name: api.RoleUser})
	require.NoError(t, err)
	require.Equal(t, []string{}, user.Body.Permissions)
	_, err = b.Get(t.Context(), &api.RoleRequest{Name: "nobody"})
	refused(t, err, errs.NotFound, "role_not_found")
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.role(t, "auditor", api.PermAuditRead)
	one, two := b.Account(t, "one@example.com", "auditor"), b.Account(t, "two@example.com", "auditor", "user")
	b.Account(t, "three@example.com")

	out, err := b.Update(b.asAdmin(t), update("auditor", `"1"`, "Reads more", api.PermUsersRead, api.PermAuditRead))
	require.NoError(t, err)
	require.Equal(t, `"2"`, out.ETag)
	require.Equal(t, "Reads more", out.Body.Description)
	require.Equal(t, 2, b.watermarks(t), "of those who have the role")
	raised := authtest.Published(t, b.Bundle, api.WatermarkRaised)
	require.ElementsMatch(t, []string{one.ID.String(), two.ID.String()}, []string{raised[0].ID, raised[1].ID})
	require.Equal(t, 1, b.audited(t, audit.RoleUpdated))
	has, err := b.Of(t.Context(), &api.UserRolesRequest{ID: one.ID.String()})
	require.NoError(t, err)
	require.Equal(t, []string{"audit:read", "users:read"}, has.Body.Permissions)

	t.Run("nothing new changes nothing", func(t *testing.T) { //nolint:paralleltest // one after the other
		out, err := b.Update(b.asAdmin(t), update("auditor", "", "Reads more", api.PermUsersRead, api.PermAuditRead))
		require.NoError(t, err)
		require.Equal(t, `"2"`, out.ETag)
	})
	t.Run("another description revokes nothing", func(t *testing.T) { //nolint:paralleltest // one after the other
		out, err := b.Update(b.asAdmin(t), update("auditor", "", "Reads", api.PermUsersRead, api.PermAuditRead))
		require.NoError(t, err)
		require.Equal(t, `"3"`, out.ETag)
		require.Len(t, authtest.Published(t, b.Bundle, api.WatermarkRaised), 2)
	})
	for name, c := range map[string]struct { //nolint:paralleltest // one after the other
		ctx  context.Context
		in   *api.UpdateRoleRequest
		kind errs.Kind
		code string
	}{
		"stale":                       {b.asAdmin(t), update("auditor", `"1"`, ""), errs.Precondition, "version_conflict"},
		"built in":                    {b.asAdmin(t), update(api.RoleSupport, "", ""), errs.Conflict, "role_built_in"},
		"unknown":                     {b.asAdmin(t), update("nobody", "", ""), errs.NotFound, "role_not_found"},
		"unknown permission":          {b.asAdmin(t), update("auditor", "", "", "x:y"), errs.Invalid, "unknown_permission"},
		"gives what is not held":      {authtest.As(t.Context(), b.admin.ID, api.PermRolesWrite, api.PermUsersRead, api.PermAuditRead), update("auditor", "", "", api.PermUsersWrite, api.PermUsersRead, api.PermAuditRead), errs.Forbidden, "permission_not_held"},
		"takes away what is not held": {authtest.As(t.Context(), b.admin.ID, api.PermRolesWrite, api.PermUsersRead), update("auditor", "", "", api.PermUsersRead), errs.Forbidden, "permission_not_held"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.Update(c.ctx, c.in)
			refused(t, err, c.kind, c.code)
		})
	}
	got, err := b.Get(t.Context(), &api.RoleRequest{Name: "auditor"})
	require.NoError(t, err)
	require.Equal(t, `"3"`, got.ETag, "a refused change changes nothing")
}

// While a role is changed and given to others at the same time, everybody who has it in the end has been told: no token with the old
// permissions survives, and nothing deadlocks for ever.
func TestUpdate_while_the_role_is_given_away(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.role(t, "auditor", api.PermAuditRead)
	people := make([]identity.Account, 12)
	for i := range people {
		people[i] = b.Account(t, fmt.Sprintf("p%d@example.com", i))
	}
	var wg sync.WaitGroup
	for _, p := range people {
		wg.Go(func() {
			if _, err := b.Assign(b.asAdmin(t), assignment(p.ID, "", "user", "auditor")); err != nil {
				t.Error(err)
			}
		})
	}
	for i := range 4 {
		wg.Go(func() {
			permissions := []string{api.PermAuditRead}
			if i%2 == 0 {
				permissions = append(permissions, api.PermUsersRead)
			}
			if _, err := b.Update(b.asAdmin(t), update("auditor", "", fmt.Sprint(i), permissions...)); err != nil && errs.KindOf(err) != errs.Unavailable {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.Equal(t, len(people), b.watermarks(t))
}

func TestDelete(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.role(t, "auditor", api.PermAuditRead)
	member := b.Account(t, "one@example.com", "auditor")
	del := func(name, ifMatch string) error {
		_, err := b.Delete(b.asAdmin(t), &api.DeleteRoleRequest{Name: name, IfMatch: ifMatch})
		return err
	}
	refused(t, del("nobody", ""), errs.NotFound, "role_not_found")
	refused(t, del(api.RoleUser, ""), errs.Conflict, "role_built_in")
	refused(t, del("auditor", `"7"`), errs.Precondition, "version_conflict")
	refused(t, del("auditor", `"1"`), errs.Conflict, "role_in_use")
	_, err := b.Assign(b.asAdmin(t), assignment(member.ID, "", "user"))
	require.NoError(t, err)
	require.NoError(t, del("auditor", `"1"`))
	_, err = b.Get(t.Context(), &api.RoleRequest{Name: "auditor"})
	refused(t, err, errs.NotFound, "role_not_found")
	require.Equal(t, 1, b.audited(t, audit.RoleDeleted))
}

func TestAssign(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada := b.Account(t, "ada@example.com")
	session := b.Session(t, ada.ID)

	out, err := b.Assign(b.asAdmin(t), assignment(ada.ID, `"1"`, "user", "support"))
	require.NoError(t, err)
	require.Equal(t, `"2"`, out.ETag)
	require.Equal(t, []string{"support", "user"}, out.Body.Roles)
	require.Contains(t, out.Body.Permissions, api.PermUsersRead)
	got, err := b.Of(t.Context(), &api.UserRolesRequest{ID: ada.ID.String()})
	require.NoError(t, err)
	require.Equal(t, out, got)

	events := authtest.Published(t, b.Bundle, api.RolesChanged)
	require.Len(t, events, 1)
	require.NotEqual(t, ada.ID.String(), events[0].By)
	require.Equal(t, api.RolesChangedData{
		AccountID: ada.ID, Roles: []string{"support", "user"}, Version: 2, Added: []string{"support"}, By: events[0].By, At: b.Clock.Now(),
	}, events[0])
	marks := authtest.Published(t, b.Bundle, api.WatermarkRaised)
	require.Len(t, marks, 1)
	require.Equal(t, ada.ID.String(), marks[0].ID)
	require.True(t, marks[0].NotBefore.After(session.IssuedAt), "tokens with the old scope are refused")
	require.Equal(t, 1, b.Int(t, "SELECT count(*) FROM sessions WHERE revoked_at IS NULL"), "the session stays")
	require.Equal(t, 1, b.audited(t, audit.RolesAssigned))

	t.Run("the same again changes nothing", func(t *testing.T) {
		again, err := b.Assign(b.asAdmin(t), assignment(ada.ID, "", "support", "user"))
		require.NoError(t, err)
		require.Equal(t, out, again)
		require.Len(t, authtest.Published(t, b.Bundle, api.RolesChanged), 1)
	})
	some := authtest.As(t.Context(), b.admin.ID, api.PermRolesAssign, api.PermUsersRead)
	weak, gone, erased := b.Account(t, "weak@example.com"), b.Account(t, "gone@example.com"), b.Account(t, "erased@example.com")
	b.Stand(t, gone.ID, identity.StatusDeleted)
	b.Stand(t, erased.ID, identity.StatusErased)
	for name, c := range map[string]struct { //nolint:paralleltest // one after the other
		ctx  context.Context
		in   *api.SetUserRolesRequest
		kind errs.Kind
		code string
	}{
		"stale":                  {b.asAdmin(t), assignment(ada.ID, `"1"`, "user"), errs.Precondition, "version_conflict"},
		"unknown role":           {b.asAdmin(t), assignment(ada.ID, "", "user", "king"), errs.Invalid, "unknown_role"},
		"unknown user":           {b.asAdmin(t), assignment(uuid.Must(uuid.NewV7()), "", "user"), errs.NotFound, "user_not_found"},
		"not an id":              {b.asAdmin(t), &api.SetUserRolesRequest{ID: "x"}, errs.NotFound, "user_not_found"},
		"gives what is not held": {some, assignment(weak.ID, "", "user", "support"), errs.Forbidden, "permission_not_held"},
		"takes what is not held": {some, assignment(b.admin.ID, "", "user"), errs.Forbidden, "permission_not_held"},
		"by nobody":              {t.Context(), assignment(weak.ID, "", "user", "support"), errs.Unauthenticated, "token_missing"},
		"of somebody deleted":    {b.asAdmin(t), assignment(gone.ID, "", "user", "support"), errs.Conflict, "user_deleted"},
		"of somebody erased":     {b.asAdmin(t), assignment(erased.ID, "", "user"), errs.NotFound, "user_not_found"},
		"is stronger":            {some, assignment(ada.ID, "", "user"), errs.Forbidden, "stronger_target"},
		"the last administrator": {b.asAdmin(t), assignment(b.admin.ID, "", "user"), errs.Conflict, "last_admin"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.Assign(c.ctx, c.in)
			refused(t, err, c.kind, c.code)
			if c.code == "unknown_role" {
				require.Equal(t, "body.roles[1]", errs.From(err).Fields[0].Field)
			}
		})
	}
	_, err = b.Of(t.Context(), &api.UserRolesRequest{ID: uuid.Must(uuid.NewV7()).String()})
	refused(t, err, errs.NotFound, "user_not_found")
	_, err = b.Of(t.Context(), &api.UserRolesRequest{ID: "x"})
	refused(t, err, errs.NotFound, "user_not_found")
}

// An administrator who cannot sign in does not count as one.
func TestAssign_a_disabled_administrator_is_none(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := b.Account(t, "other@example.com", api.RoleAdmin)
	b.Stand(t, other.ID, identity.StatusDisabled)
	_, err := b.Assign(b.asAdmin(t), assignment(b.admin.ID, "", "user"))
	refused(t, err, errs.Conflict, "last_admin")
	_, err = b.Assign(b.asAdmin(t), assignment(other.ID, "", "user"))
	require.NoError(t, err, "nothing is lost with that one")
}

// Administrators who take the role from each other at the same time leave one.
func TestAssign_administrators_dethrone_each_other(t *testing.T) {
	t.Parallel()
	b := setup(t)
	admins := []identity.Account{b.admin}
	for i := range 5 {
		admins = append(admins, b.Account(t, fmt.Sprintf("admin%d@example.com", i), api.RoleAdmin))
	}
	var wg sync.WaitGroup
	failures := make([]error, len(admins))
	for i, a := range admins {
		next := admins[(i+1)%len(admins)]
		wg.Go(func() {
			_, failures[i] = b.Assign(authtest.As(t.Context(), a.ID, api.Permissions()...), assignment(next.ID, "", "user"))
		})
	}
	wg.Wait()
	kept := 0
	for _, err := range failures {
		if err != nil {
			kept++
			require.Contains(t, []string{"last_admin", "permission_denied", "stronger_target"}, errs.From(err).Code)
		}
	}
	require.GreaterOrEqual(t, kept, 1, "whoever was dethroned before dethrones nobody")
	require.Equal(t, kept, b.Int(t, "SELECT count(*) FROM account_roles WHERE role = 'admin'"))
}

func TestDatabase_away(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Pool.Close()
	ctx := b.asAdmin(t)
	for name, call := range map[string]func() error{
		"list": func() error { _, err := b.List(ctx, &api.ListRolesRequest{}); return err },
		"get":  func() error { _, err := b.Get(ctx, &api.RoleRequest{Name: "admin"}); return err },
		"create": func() error {
			_, err := b.Create(ctx, &api.CreateRoleRequest{Body: api.NewRole{Name: "auditor"}})
			return err
		},
		"update": func() error { _, err := b.Update(ctx, update("x", "", "")); return err },
		"delete": func() error { _, err := b.Delete(ctx, &api.DeleteRoleRequest{Name: "x"}); return err },
		"of":     func() error { _, err := b.Of(ctx, &api.UserRolesRequest{ID: b.admin.ID.String()}); return err },
		"assign": func() error { _, err := b.Assign(ctx, assignment(b.admin.ID, "", "user")); return err },
	} {
		require.ErrorIs(t, call(), errs.Unavailable, name)
	}
}
