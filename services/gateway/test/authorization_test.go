package test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/services/gateway"
)

// caller is somebody who calls, with what he may do. The permissions are written down again here: they are what is tested.
type caller struct {
	name, subject string
	permissions   []string
}

var callers = []caller{
	{name: "nobody"},
	{name: "user", subject: ada},
	{name: "support", subject: ada, permissions: []string{
		"users:read", "sessions:read", "sessions:revoke", "notifications:read", "deliveries:read", "audit:read", "roles:read",
	}},
	{name: "admin", subject: ada, permissions: []string{
		"users:read", "users:write", "users:delete", "sessions:read", "sessions:revoke", "roles:read", "roles:write", "roles:assign",
		"notifications:read", "notifications:send", "deliveries:read", "deliveries:replay", "audit:read", "keys:rotate",
	}},
}

// TestAuthorization tries every operation of every service without a token, with a user's, a support's and an administrator's, on
// their own data and on someone else's. What the policy allows reaches the service, which agrees; what it refuses does not.
func TestAuthorization(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	stubs := map[string]*stub{}
	for _, s := range []*stub{m.auth, m.users, m.notifications} {
		stubs[s.name] = s
	}
	tried := 0
	for _, declared := range gateway.Operations() {
		meta := declared.Meta()
		if meta.Path == "" {
			continue
		}
		for _, who := range callers {
			for _, owner := range []string{ada, bob} {
				name := fmt.Sprintf("%s as %s of %s", meta.ID, who.name, map[bool]string{true: "their own", false: "another's"}[owner == ada])
				q := request{method: meta.Method, path: example(meta.Path, owner)}
				if who.subject != "" {
					q.token = m.issuer.SignFor(who.subject, who.permissions...)
				}
				got := m.do(t, q)
				tried++
				if status, code := expected(meta, who, owner); status != http.StatusOK {
					require.Equal(t, status, got.Status, name)
					require.Equal(t, code, got.Problem.Code, name)
					m.silent(t)
					continue
				}
				require.Equal(t, http.StatusOK, got.Status, "%s: %s", name, got.Body)
				require.Equal(t, meta.ID, got.Header.Get(headerOperation), name)
				reached := slices.Concat(m.auth.requests(), m.users.requests(), m.notifications.requests())
				require.Len(t, reached, 1, name)
			}
		}
	}
	require.Greater(t, tried, 300)
	t.Logf("%d requests", tried)
}

// expected says what the policy means, in words of its own.
func expected(m op.Meta, who caller, owner string) (status int, code string) {
	mine := m.Allow.Param() != "" && owner == who.subject
	switch {
	case m.Allow.IsPublic():
		return http.StatusOK, ""
	case who.subject == "":
		return http.StatusUnauthorized, "token_missing"
	case m.Allow.Permission() == "", mine, slices.Contains(who.permissions, m.Allow.Permission()):
		return http.StatusOK, ""
	default:
		return http.StatusForbidden, "permission_denied"
	}
}

var parameter = regexp.MustCompile(`\{[^}]+\}`)

// example fills a path's template: {id} is the owner's, everything else is somebody's.
func example(template, owner string) string {
	path := strings.ReplaceAll(template, "{id}", owner)
	return parameter.ReplaceAllString(path, "0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a50")
}

func TestAuthorizationOfAnotherSpellingOfAnID(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	// %30 is 0: whoever decodes once more than the policy did would see another id than was checked.
	spelt := "/api/v1/users/%30" + ada[1:]
	m.do(t, request{path: spelt, token: m.issuer.SignUser(ada)}).refused(t, http.StatusForbidden, "permission_denied")
	m.silent(t)
	got := m.do(t, request{path: spelt, token: m.issuer.SignSupport(bob)})
	require.Equal(t, http.StatusOK, got.Status)
	require.Equal(t, spelt, m.users.requests()[0].URI, "it is passed on as it was sent")
}
