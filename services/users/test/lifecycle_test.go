package test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/service/servicetest"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/users/api"
)

func TestLifecycle(t *testing.T) {
	t.Parallel()
	m := setup(t)
	id := m.register("Ada", "ada@example.com")
	publish(m, auth.AccountVerified, id, auth.AccountVerifiedData{AccountID: id, Email: "ada@example.com"})
	require.Eventually(t, func() bool { return m.must(m.admin(), id).Body.Status == "active" }, wait, tick)
	act := func(o op.Op[api.UserActionRequest, api.UserResponse], ifMatch string) (*api.UserResponse, error) {
		return op.HTTPClient(m.http, o)(m.admin(), &api.UserActionRequest{ID: id.String(), IfMatch: ifMatch})
	}
	remove := func(ctx context.Context, ifMatch string) error {
		_, err := op.HTTPClient(m.http, api.DeleteUser)(ctx, &api.UserActionRequest{ID: id.String(), IfMatch: ifMatch})
		return err
	}

	out, err := act(api.DeactivateUser, "")
	require.NoError(t, err)
	require.Equal(t, "deactivated", out.Body.Status)
	again, err := act(api.DeactivateUser, "")
	require.NoError(t, err)
	require.Equal(t, out.ETag, again.ETag, "deactivating again changes nothing")
	require.Equal(t, 1, m.published("users.user.deactivated.v1"))
	_, err = act(api.RestoreUser, "")
	require.Equal(t, "user_not_deleted", errs.From(err).Code)
	_, err = act(api.ActivateUser, `"1"`)
	require.ErrorIs(t, err, errs.Precondition)

	require.ErrorIs(t, remove(m.admin(), `"1"`), errs.Precondition)
	require.NoError(t, remove(m.admin(), ""))
	require.NoError(t, remove(m.admin(), ""), "deleting again changes nothing")
	require.Equal(t, 1, m.published("users.user.deleted.v1"))
	deleted := m.must(m.admin(), id).Body
	require.Equal(t, "deleted", deleted.Status)
	require.NotNil(t, deleted.EraseAt)
	_, err = act(api.ActivateUser, "")
	require.Equal(t, "user_deleted", errs.From(err).Code)
	name := "Zombie"
	_, err = op.HTTPClient(m.http, api.UpdateUser)(m.as(id), &api.UpdateUserRequest{ID: id.String(), Body: api.ProfileChange{FullName: &name}})
	require.Equal(t, "user_deleted", errs.From(err).Code)

	out, err = act(api.RestoreUser, "")
	require.NoError(t, err)
	require.Equal(t, "deactivated", out.Body.Status, "restored to what it was")
	out, err = act(api.ActivateUser, out.ETag)
	require.NoError(t, err)
	require.Equal(t, "active", out.Body.Status)
	out, err = act(api.ActivateUser, "")
	require.NoError(t, err)
	require.Equal(t, "active", out.Body.Status)
	require.NoError(t, remove(m.as(id), ""), "people may delete themselves")
}

func TestErasure(t *testing.T) {
	t.Parallel()
	m := setupWith(t, servicetest.Options{Env: config.Source{"ERASURE_GRACE": "0s"}})
	id := m.register("Ada", "ada@example.com")
	_, err := op.HTTPClient(m.http, api.DeleteUser)(m.admin(), &api.UserActionRequest{ID: id.String()})
	require.NoError(t, err)
	_, err = m.db.Exec(t.Context(), "INSERT INTO river_job (kind, args, max_attempts, queue, state) VALUES ('erase_users', '{}', 1, 'default', 'available')")
	require.NoError(t, err)
	require.Eventually(t, func() bool { _, err := m.get(m.admin(), id); return errs.KindOf(err) == errs.NotFound }, wait, tick)
	require.Equal(t, 1, m.published("users.user.erased.v1"))
	require.Zero(t, m.count("users"))
}
