package api_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/services/auth/api"
)

func TestOperations(t *testing.T) {
	t.Parallel()

	t.Run("are_declared_once", func(t *testing.T) {
		t.Parallel()
		ids, routes, subjects := map[string]bool{}, map[string]bool{}, map[string]bool{}
		for _, o := range api.Operations() {
			m := o.Meta()
			require.False(t, ids[m.ID], m.ID)
			ids[m.ID] = true
			if m.Path != "" {
				require.False(t, routes[m.Method+m.Path], m.ID)
				routes[m.Method+m.Path] = true
			}
			if m.Subject != "" {
				require.True(t, strings.HasPrefix(m.Subject, "rpc.auth."), m.ID)
				require.False(t, subjects[m.Subject], m.ID)
				subjects[m.Subject] = true
			}
			require.False(t, m.Allow.IsZero(), m.ID)
			if p := m.Allow.Permission(); p != "" {
				require.Contains(t, api.Permissions(), p, m.ID)
			}
		}
	})

	t.Run("make_a_document", func(t *testing.T) {
		t.Parallel()
		doc := op.Document(huma.Info{Title: "auth", Version: "1"}, "/api/v1/auth/token", api.Operations())
		b, err := json.Marshal(doc)
		require.NoError(t, err)
		require.Contains(t, string(b), `"/api/v1/auth/login"`)
		require.NotContains(t, string(b), `"/account/`, "pages stay out of the reference")
		require.NotContains(t, string(b), "rpc.auth.", "internal operations stay out of the reference")
	})

	t.Run("read_no_cookie_that_the_gateway_does_not_know", func(t *testing.T) {
		t.Parallel()
		read := []string{api.CookieAccess} // by the gateway itself
		doc := op.Document(huma.Info{Title: "auth", Version: "1"}, "/api/v1/auth/token", api.Operations())
		for _, item := range doc.Paths {
			for _, o := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete, item.Patch} {
				if o == nil {
					continue
				}
				for _, p := range o.Parameters {
					if p.In == "cookie" {
						read = append(read, p.Name)
					}
				}
			}
		}
		slices.Sort(read)
		require.ElementsMatch(t, slices.Compact(read), api.Cookies())
	})
}
