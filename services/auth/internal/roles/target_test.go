package roles_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/authtest"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

// Changing what a role allows is acting on everybody who has it; a role that nobody has is changed by whoever holds what it allows.
func TestUpdate_of_a_role_that_somebody_stronger_has(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.role(t, "writer", api.PermRolesWrite, api.PermAuditRead)
	b.role(t, "auditor", api.PermAuditRead)
	writer := b.Account(t, "writer@example.com", "writer", "auditor")
	ctx := authtest.As(t.Context(), writer.ID, api.Permissions()...)

	_, err := b.Update(ctx, update("auditor", "", "Reads"))
	require.NoError(t, err, "of one's own role, and a weaker person's")
	_, err = b.Update(ctx, update("auditor", "", "Reads", api.PermAuditRead))
	require.NoError(t, err)
	boss := b.Account(t, "boss@example.com", "auditor", api.RoleSupport)
	for _, status := range []string{identity.StatusActive, identity.StatusDisabled, identity.StatusDeleted} {
		b.Stand(t, boss.ID, status)
		_, err = b.Update(ctx, update("auditor", "", "Reads nothing"))
		refused(t, err, errs.Forbidden, "stronger_target")
	}
	_, err = b.Update(ctx, update("auditor", "", "Harmless: give it to everybody", api.PermAuditRead))
	refused(t, err, errs.Forbidden, "stronger_target")
	_, err = b.Update(b.asAdmin(t), update("auditor", "", "Reads nothing"))
	require.NoError(t, err)
}

func TestDelete_of_a_role_that_allows_what_is_not_held(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.role(t, "writer", api.PermRolesWrite)
	b.role(t, "mighty", api.PermKeysRotate)
	writer := b.Account(t, "writer@example.com", "writer")
	in := &api.DeleteRoleRequest{Name: "mighty"}
	_, err := b.Delete(authtest.As(t.Context(), writer.ID, api.Permissions()...), in)
	refused(t, err, errs.Forbidden, "permission_not_held")
	_, err = b.Delete(t.Context(), in)
	refused(t, err, errs.Unauthenticated, "token_missing")
	_, err = b.Delete(b.asAdmin(t), in)
	require.NoError(t, err)
}

// A token that was signed before a role was taken gives nothing away any more.
func TestOld_tokens_give_nothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada, eve := b.Account(t, "ada@example.com"), b.Account(t, "eve@example.com")
	was := authtest.As(t.Context(), eve.ID, api.Permissions()...)
	_, err := b.Create(was, &api.CreateRoleRequest{Body: api.NewRole{Name: "mighty", Permissions: []string{api.PermKeysRotate}}})
	refused(t, err, errs.Forbidden, "permission_denied")
	role := b.role(t, "harmless").Body
	_, err = b.Update(was, update(role.Name, "", "Anything"))
	refused(t, err, errs.Forbidden, "permission_denied")
	_, err = b.Delete(was, &api.DeleteRoleRequest{Name: role.Name})
	refused(t, err, errs.Forbidden, "permission_denied")
	_, err = b.Assign(was, assignment(ada.ID, "", api.RoleAdmin))
	refused(t, err, errs.Forbidden, "permission_denied")
	_, err = b.Assign(was, assignment(eve.ID, "", api.RoleAdmin))
	refused(t, err, errs.Forbidden, "permission_denied")
}
