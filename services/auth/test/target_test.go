package test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
)

// side is somebody whom others act on, or who acts on others.
type side struct {
	id     uuid.UUID
	client client
}

// hire makes somebody with these roles, signed in.
func (m *mesh) hire(t testing.TB, roles ...string) side {
	t.Helper()
	email := newID() + "@example.com"
	id := m.person(t, email)
	for _, role := range roles {
		m.assign(t, id, role)
	}
	return side{id, m.client(t).with(m.client(t).login(email, goodPassword).AccessToken)}
}

// deed is an operation with a target; it returns the code of the refusal, "" for none.
type deed func(t *testing.T, m *mesh, by client, target uuid.UUID) string

// deeds are all operations of auth that act on an account.
func deeds() map[string]deed {
	overHTTP := func(method, path string, body any) deed {
		return func(t *testing.T, _ *mesh, by client, target uuid.UUID) string {
			t.Helper()
			a := by.call(method, fmt.Sprintf("/api/v1/users/%s/%s", target, path), body)
			if a.StatusCode < http.StatusBadRequest {
				return ""
			}
			return read[map[string]any](t, a)["code"].(string)
		}
	}
	overNATS := func(verb api.Verb) deed {
		return func(t *testing.T, m *mesh, by client, target uuid.UUID) string {
			t.Helper()
			if _, err := m.act(t, by.token, verb, target); err != nil {
				return errs.From(err).Code
			}
			return ""
		}
	}
	return map[string]deed{
		"end all sessions":         overHTTP(http.MethodDelete, "sessions", nil),
		"end a session":            overHTTP(http.MethodDelete, "sessions/"+newID(), nil),
		"set roles":                overHTTP(http.MethodPut, "roles", object{"roles": []string{"user"}}),
		string(api.VerbEdit):       overNATS(api.VerbEdit),
		string(api.VerbDeactivate): overNATS(api.VerbDeactivate),
		string(api.VerbActivate):   overNATS(api.VerbActivate),
		string(api.VerbDelete):     overNATS(api.VerbDelete),
		string(api.VerbRestore):    overNATS(api.VerbRestore),
	}
}

// Every operation that acts on an account is tried on somebody weaker, equal and stronger, on the last administrator and on oneself, by
// somebody who holds the permission for each of them and by an administrator.
func TestOperations_by_target(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	_, err := m.pool.Exec(t.Context(), `INSERT INTO roles (name, permissions)
		VALUES ('helper', '{users:write,users:delete,sessions:revoke,roles:assign}')`)
	require.NoError(t, err)
	const missing = "session_not_found" // it was allowed, and there is none with this id
	for name, do := range deeds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			helper, boss, root := m.hire(t, "helper"), m.hire(t, "admin"), m.hire(t, "admin")
			refusal := func(by, whom side) string {
				code := do(t, m, by.client, whom.id)
				if code == missing {
					return ""
				}
				return code
			}
			require.Empty(t, refusal(helper, m.hire(t)), "weaker")
			require.Empty(t, refusal(helper, m.hire(t, "helper")), "equal")
			require.Equal(t, "stronger_target", refusal(helper, m.hire(t, "helper", "support")), "stronger")
			require.Equal(t, "stronger_target", refusal(helper, boss), "administrator")
			require.Empty(t, refusal(boss, m.hire(t, "helper")), "an administrator, of somebody weaker")
			require.Empty(t, refusal(boss, root), "an administrator, of another")
			own := map[string]string{string(api.VerbDeactivate): "own_administration"}
			require.Equal(t, own[name], refusal(helper, helper), "oneself")
		})
	}
}

// The last administrator cannot be taken away, by nobody and in no way.
func TestOperations_on_the_last_administrator(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	root := m.hire(t, "admin")
	m.hire(t, "support")
	want := map[string]string{
		"set roles":                "last_admin",
		string(api.VerbDelete):     "last_admin",
		string(api.VerbDeactivate): "own_administration",
	}
	all := deeds()
	for name, code := range want {
		require.Equal(t, code, all[name](t, m, root.client, root.id), name)
	}
	require.True(t, m.signedIn(t, root.client.token))
}
