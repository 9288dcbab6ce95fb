package test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/services/auth/api"
)

// Whoever calls what: every operation on HTTP, without a token, with a user's, a support's and an administrator's, against the policy
// that its declaration states.
func TestOperations_are_served_to_whom_their_policy_says(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	callers := map[string]client{"nobody": m.client(t)}
	for _, role := range []string{api.RoleUser, api.RoleSupport, api.RoleAdmin} {
		_, callers[role] = m.as(t, role)
	}
	_, owner := m.as(t, api.RoleUser)
	callers["somebody else"] = owner
	param := regexp.MustCompile(`\{[a-z_]+\}`)
	permissions := map[string][]string{}
	for name, c := range callers {
		if c.token != "" {
			permissions[name] = scopeOf(t, c.token)
		}
	}
	for _, o := range api.Operations() {
		meta := o.Meta()
		if meta.Path == "" || strings.HasPrefix(meta.ID, "logout") {
			continue
		}
		target := newID() // nobody's
		path := param.ReplaceAllString(meta.Path, target)
		for name, c := range callers {
			a := c.call(meta.Method, path, nil)
			switch policy := meta.Allow; {
			case policy.IsPublic():
				require.NotEqual(t, http.StatusForbidden, a.StatusCode, "%s as %s: %s", meta.ID, name, a.body)
				require.NotEqual(t, http.StatusMethodNotAllowed, a.StatusCode, meta.ID)
				require.False(t, a.StatusCode == http.StatusNotFound && strings.Contains(string(a.body), "route_not_found"), meta.ID)
			case name == "nobody":
				a.refused(t, http.StatusUnauthorized, "token_missing")
			case policy.Permission() != "" && !slices.Contains(permissions[name], policy.Permission()):
				a.refused(t, http.StatusForbidden, "permission_denied")
			default:
				require.NotContains(t, []int{401, 403, 500}, a.StatusCode, "%s as %s: %s", meta.ID, name, a.body)
			}
		}
	}
}

// No answer ever says anything about what it is made of.
func TestOperations_answers_leak_nothing(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	_, admin := m.as(t, api.RoleAdmin)
	leaks := regexp.MustCompile(`(?i)pgx|postgres|sqlstate|panic|goroutine|\.go:|constraint|duplicate key|nats:`)
	bodies := []any{nil, object{}, []any{}, "text", object{"email": strings.Repeat("a", 300)}, object{"token": "x\x00y"}, object{"name": "user", "permissions": []string{"x"}}}
	param := regexp.MustCompile(`\{[a-z_]+\}`)
	for _, o := range api.Operations() {
		meta := o.Meta()
		if meta.Path == "" || meta.ID == "logout" || meta.ID == "logout-all" || strings.HasPrefix(meta.ID, "page-") {
			continue
		}
		for _, value := range []string{"nonsense", "%00", newID(), "..%2f..", strings.Repeat("x", 200)} {
			for _, body := range bodies {
				a := admin.call(meta.Method, param.ReplaceAllString(meta.Path, value), body)
				require.Less(t, a.StatusCode, 500, "%s %v: %s", meta.ID, body, a.body)
				if a.StatusCode >= 400 {
					require.False(t, leaks.Match(a.body), "%s %v: %s", meta.ID, body, a.body)
				}
			}
		}
	}
}
