package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/op"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/users/api"
)

func TestOperationsAreDeclaredOnce(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	once := func(what string) {
		require.False(t, seen[what], what)
		seen[what] = true
	}
	for _, o := range api.Operations() {
		m := o.Meta()
		once(m.ID)
		once(m.Method + " " + m.Path)
		if m.Subject != "" {
			once(m.Subject)
			require.True(t, strings.HasPrefix(m.Subject, "rpc.users."), m.ID)
		}
		require.False(t, m.Allow.IsZero(), m.ID)
		if p := m.Allow.Permission(); p != "" {
			require.Contains(t, auth.Permissions(), p, m.ID)
		}
	}
	doc, err := json.Marshal(op.Document(huma.Info{Title: "users", Version: "1"}, "/api/v1/auth/token", api.Operations()))
	require.NoError(t, err)
	require.Contains(t, string(doc), `"/api/v1/users/{id}/deactivate"`)
}
