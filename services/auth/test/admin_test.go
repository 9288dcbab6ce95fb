package test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/services/auth/api"
)

func TestSetup_with_a_link(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	link := <-m.setup
	token := tokenOf(t, link)
	page := m.client(t).get(strings.TrimPrefix(link, m.Issuer.URL)).want(t, 200)
	require.Contains(t, page.Header.Get("Content-Type"), "text/html")

	m.client(t).post("/api/v1/auth/setup", object{"token": "nonsense", "email": "root@example.com", "password": goodPassword, "full_name": "Root"}).
		refused(t, 422, "link_invalid")
	var made atomic.Int32
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			body := object{"token": token, "email": "root" + string(rune('a'+i)) + "@example.com", "password": goodPassword, "full_name": "Root"}
			if m.client(t).post("/api/v1/auth/setup", body).StatusCode == http.StatusCreated {
				made.Add(1)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, made.Load(), "there is one first administrator")
	m.client(t).post("/api/v1/auth/setup", object{"token": token, "email": "eve@example.com", "password": goodPassword, "full_name": "Eve"}).
		refused(t, 409, "already_set_up")
}

func TestSetup_by_configuration(t *testing.T) {
	t.Parallel()
	m := setup(t, config.Source{"ADMIN_EMAIL": "root@example.com", "ADMIN_PASSWORD": goodPassword})
	require.Empty(t, <-m.setup, "there is no link where there is an administrator")
	tokens := m.client(t).login("root@example.com", goodPassword)
	require.ElementsMatch(t, api.Permissions(), scopeOf(t, tokens.AccessToken))
}

// A role is made, given, used, changed and taken away; each time the person's tokens follow at once.
func TestRoles(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	_, admin := m.as(t, api.RoleAdmin)
	id := m.person(t, "ada@example.com")
	tokens := m.client(t).login("ada@example.com", goodPassword)

	a := admin.post("/api/v1/roles", object{"name": "auditor", "description": "Reads", "permissions": []string{"audit:read"}}).want(t, 201)
	require.Equal(t, "/api/v1/roles/auditor", a.Header.Get("Location"))
	admin.post("/api/v1/roles", object{"name": "auditor", "permissions": []string{}}).refused(t, 409, "role_exists")
	m.client(t).with(tokens.AccessToken).get("/api/v1/audit").refused(t, 403, "permission_denied")

	roles := "/api/v1/users/" + id.String() + "/roles"
	admin.call(http.MethodPut, roles, object{"roles": []string{"user", "emperor"}}).refused(t, 422, "unknown_role")
	admin.call(http.MethodPut, roles, object{"roles": []string{"user", "auditor"}}).want(t, 200)
	m.soonRefused(t, tokens.AccessToken)
	tokens = read[api.Tokens](t, m.client(t).refresh(tokens.RefreshToken).want(t, 200))
	trail := read[api.AuditPage](t, m.client(t).with(tokens.AccessToken).get("/api/v1/audit?action=roles.assigned").want(t, 200))
	require.EqualValues(t, 1, trail.Total)
	require.Equal(t, id.String(), trail.Items[0].Subject)
	changed := outbox[api.RolesChangedData](t, m, api.RolesChanged.Name, id)
	require.Equal(t, []string{"auditor", "user"}, changed[len(changed)-1].Roles)

	admin.call(http.MethodPut, "/api/v1/roles/auditor", object{"permissions": []string{"users:read"}}).want(t, 200)
	m.soonRefused(t, tokens.AccessToken)
	tokens = read[api.Tokens](t, m.client(t).refresh(tokens.RefreshToken).want(t, 200))
	require.Equal(t, []string{"users:read"}, scopeOf(t, tokens.AccessToken))

	admin.delete("/api/v1/roles/auditor").refused(t, 409, "role_in_use")
	admin.call(http.MethodPut, roles, object{"roles": []string{"user"}}).want(t, 200)
	admin.delete("/api/v1/roles/auditor").want(t, 204)
	admin.delete("/api/v1/roles/admin").refused(t, 409, "role_built_in")
}

// Keys are rotated by an administrator, and by nobody else. A compromised key takes everybody's access token with it, and no session.
func TestKeys(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	_, admin := m.as(t, api.RoleAdmin)
	_, support := m.as(t, api.RoleSupport)
	for _, role := range []client{support, m.client(t)} {
		status, code := http.StatusForbidden, "permission_denied"
		if role.token == "" {
			status, code = http.StatusUnauthorized, "token_missing"
		}
		role.get("/api/v1/auth/keys").refused(t, status, code)
		role.post("/api/v1/auth/keys/rotate", object{"compromised": true}).refused(t, status, code)
	}
	planned := read[api.SigningKeys](t, admin.post("/api/v1/auth/keys/rotate", object{}).want(t, 200)).Keys
	require.Len(t, planned, 2)
	require.Equal(t, api.KeyPending, planned[1].State)
	require.Equal(t, planned, read[api.SigningKeys](t, admin.get("/api/v1/auth/keys").want(t, 200)).Keys)

	replaced := read[api.SigningKeys](t, admin.post("/api/v1/auth/keys/rotate", object{"compromised": true}).want(t, 200)).Keys
	require.Len(t, replaced, 1)
	require.NotContains(t, []string{planned[0].KeyID, planned[1].KeyID}, replaced[0].KeyID)
	set := read[api.JSONWebKeySet](t, m.client(t).get("/.well-known/jwks.json").want(t, 200))
	require.Len(t, set.Keys, 1)
	require.Equal(t, replaced[0].KeyID, set.Keys[0].KeyID)
	require.Equal(t, 1, m.audits(t, "key.rotated", "success", replaced[0].KeyID))
}
