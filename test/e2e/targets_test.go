package e2e_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/op"
	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	notificationsapi "github.com/atrium-mesh/atrium/services/notifications/api"
	usersapi "github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

// helperRole holds the permission for each operation that acts on somebody, and no other.
const helperRole = "helper"

// acting are the operations that act on an account: those below a user that are not for reading.
func acting() []op.Meta {
	var all []op.Meta
	for _, declared := range declared() {
		for _, one := range declared {
			if meta := one.Meta(); strings.HasPrefix(meta.Path, "/api/v1/users/{id}") && !meta.ReadOnly {
				all = append(all, meta)
			}
		}
	}
	return all
}

// TestTargets adds the target to the matrix of TestAuthorization: every operation that acts on an account is tried on somebody weaker, equal and
// stronger, on an administrator and on oneself, through the gateway. The caller holds the permission in each case, so that only the rule for
// acting on another account can refuse.
func TestTargets(t *testing.T) {
	t.Parallel()
	m := mesh.Processes(t, mesh.Options{EnvOf: map[string]string{"auth.REQUIRE_VERIFIED_EMAIL": "false"}})
	root := administrator(t, m)
	theLast(t, m, root)
	root.Post(authapi.CreateRole.Path, map[string]any{"name": helperRole, "permissions": []string{
		authapi.PermUsersRead, authapi.PermUsersWrite, authapi.PermUsersDelete, authapi.PermSessionsRevoke, authapi.PermRolesAssign,
	}}).Want(http.StatusCreated)
	operations := acting()
	require.Greater(t, len(operations), 8, "there are such operations")
	for _, meta := range operations {
		t.Run(meta.ID, func(t *testing.T) {
			t.Parallel()
			hire := func(roles ...string) member { return hired(t, m, root.For(t), roles...) }
			helper, boss := hire(helperRole), hire(authapi.RoleAdmin)
			for _, c := range []struct {
				name       string
				by, target member
				want       string // the code of the refusal
			}{
				{"weaker", helper, hire(), ""},
				{"equal", helper, hire(helperRole), ""},
				{"stronger", helper, hire(helperRole, authapi.RoleSupport), "stronger_target"},
				{"administrator", helper, hire(authapi.RoleAdmin), "stronger_target"},
				{"administrator by another", boss, hire(authapi.RoleAdmin), ""},
				{"oneself", helper, helper, ownRefusal(meta)},
			} {
				prepare(root.For(t), meta, c.by, c.target)
				a := attempt{who: c.name, client: c.by.device, subject: c.target.person.ID, person: c.by.person}
				answer := c.by.device.For(t).Do(a.request(meta))
				if c.want != "" {
					require.Contains(t, []int{http.StatusForbidden, http.StatusConflict}, answer.Status, "%s: %s", c.name, answer)
					require.Equal(t, c.want, answer.Problem().Code, "%s: %s", c.name, answer)
					continue
				}
				if answer.Status >= http.StatusBadRequest {
					require.Equal(t, "session_not_found", answer.Problem().Code, "%s is allowed: %s", c.name, answer)
				}
			}
		})
	}
}

// ownRefusal is why people may not do something to themselves, who hold the permission for it.
func ownRefusal(meta op.Meta) string {
	switch meta.ID {
	case usersapi.DeactivateUser.OperationID:
		return "own_administration"
	case usersapi.RestoreUser.OperationID:
		return "user_not_deleted"
	default:
		return ""
	}
}

// prepare brings the target where an operation gets as far as the rule.
func prepare(root *client.Client, meta op.Meta, by, target member) {
	path := "/api/v1/users/" + target.person.ID
	switch {
	case by.person.ID == target.person.ID:
	case meta.ID == usersapi.ActivateUser.OperationID:
		root.Post(path+"/deactivate", nil).Want(http.StatusOK)
	case meta.ID == usersapi.RestoreUser.OperationID:
		root.Delete(path).Want(http.StatusNoContent)
	}
}

// hired makes somebody with these roles, whom everybody knows.
func hired(t *testing.T, m *mesh.Mesh, root *client.Client, roles ...string) member {
	t.Helper()
	v := visitor(t, m)
	p := v.Register(client.NewPerson("target"))
	device := v.Device("e2e/target")
	device.Login(p)
	p.ID = device.Subject()
	device.Eventually("the account is known everywhere", func() bool {
		return device.Get(usersapi.GetMe.Path).Status == http.StatusOK && device.Get(notificationsapi.CountUnread.Path).Status == http.StatusOK
	})
	if len(roles) > 0 {
		root.Put("/api/v1/users/"+p.ID+"/roles", map[string]any{"roles": roles}).Want(http.StatusOK)
		device.RefreshTokens()
	}
	return member{person: p, device: device}
}

// theLast: whatever is tried, by one or by two at the same time, an administrator who can sign in remains, and the setup link stays closed.
func theLast(t *testing.T, m *mesh.Mesh, root *client.Client) {
	t.Helper()
	me, _ := root.Me()
	own := "/api/v1/users/" + me.ID
	root.Delete(own).WantProblem(http.StatusConflict, "last_admin")
	root.Post(own+"/deactivate", nil).WantProblem(http.StatusConflict, "own_administration")
	root.Put(own+"/roles", map[string]any{"roles": []string{authapi.RoleUser}}).WantProblem(http.StatusConflict, "last_admin")

	other := hired(t, m, root, authapi.RoleAdmin)
	theirs := "/api/v1/users/" + other.person.ID
	for range 3 {
		var wg sync.WaitGroup
		answers := make([]*client.Answer, 2)
		for i, act := range []func() *client.Answer{
			func() *client.Answer { return root.Post(theirs+"/deactivate", nil) },
			func() *client.Answer { return other.device.Post(own+"/deactivate", nil) },
		} {
			wg.Go(func() { answers[i] = act() })
		}
		wg.Wait()
		won, lost := 0, 1
		if answers[won].Status != http.StatusOK {
			won, lost = lost, won
		}
		answers[won].Want(http.StatusOK)
		require.Contains(t, []string{"token_revoked", "last_admin"}, answers[lost].Problem().Code, "%s", answers[lost])
		setupIsClosed(t, m)
		if won == 0 {
			root.Post(theirs+"/activate", nil).Want(http.StatusOK)
			other.device.Login(other.person)
			continue
		}
		other.device.Post(own+"/activate", nil).Want(http.StatusOK)
		root.Login(client.Person{Email: mesh.AdminEmail, Password: mesh.AdminPassword})
	}
	root.Put(theirs+"/roles", map[string]any{"roles": []string{authapi.RoleUser}}).Want(http.StatusOK)
}

// setupIsClosed asks as somebody who has got hold of an old link.
func setupIsClosed(t *testing.T, m *mesh.Mesh) {
	t.Helper()
	fresh := client.NewPerson("fresh")
	visitor(t, m).Post(authapi.SetupFirstAdmin.Path, map[string]string{
		"token": uuid.Must(uuid.NewV7()).String(), "email": fresh.Email, "password": fresh.Password, "full_name": "Fresh",
	}).WantProblem(http.StatusConflict, "already_set_up")
}
