package op_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
)

func TestIncompleteDeclarationPanics(t *testing.T) {
	t.Parallel()
	get := huma.Operation{OperationID: "x", Method: http.MethodGet, Path: "/x", Summary: "X"}
	for name, o := range map[string]op.Op[empty, thingAnswer]{
		"no policy":          {Operation: get},
		"no id":              {Operation: huma.Operation{Method: http.MethodGet, Path: "/x", Summary: "X"}, Allow: authz.Public()},
		"nowhere":            {Operation: huma.Operation{OperationID: "x"}, Allow: authz.Public()},
		"services with path": {Operation: get, Allow: authz.Services("users")},
		"a hop with path":    {Operation: get, Allow: authz.Public().By("users")},
		"no summary":         {Operation: huma.Operation{OperationID: "x", Method: http.MethodGet, Path: "/x"}, Allow: authz.Public()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Panics(t, func() { op.Document(huma.Info{Title: "T"}, "/token", []op.Declared{pathed{o}.op()}) })
		})
	}
}

// pathed gives an operation that has no path one, so that Document looks at it.
type pathed struct{ o op.Op[empty, thingAnswer] }

func (p pathed) op() op.Op[empty, thingAnswer] {
	if p.o.Path == "" && p.o.OperationID != "" {
		p.o.Path = "/y"
	}
	return p.o
}

func TestCompare(t *testing.T) {
	t.Parallel()
	paths := []string{"/users/{id}", "/users/me", "/users", "/users/{id}/roles", "/users/me/roles", "/users/{id}/sessions/{sid}"}
	metas := make([]op.Meta, len(paths))
	for i, p := range paths {
		metas[i] = op.Meta{Method: "GET", Path: p}
	}
	slices.SortFunc(metas, op.Compare)
	index := func(p string) int { return slices.IndexFunc(metas, func(m op.Meta) bool { return m.Path == p }) }
	require.Less(t, index("/users/me"), index("/users/{id}"))
	require.Less(t, index("/users/me/roles"), index("/users/{id}/roles"))
}

func TestDocument(t *testing.T) {
	t.Parallel()
	doc := op.Document(huma.Info{Title: "Things", Version: "1"}, "/token", []op.Declared{putOp, myThings, formOp})
	put := doc.Paths["/api/v1/things/{id}"].Put
	require.True(t, put.Deprecated)
	for _, status := range []string{"200", "400", "401", "403", "404", "412", "413", "415", "422", "429", "500", "503", "504"} {
		require.Contains(t, put.Responses, status)
		if status < "400" {
			require.NotEmpty(t, put.Responses[status].Content, status)
			continue
		}
		require.Equal(t, "#/components/responses/Problem"+status, put.Responses[status].Ref)
		require.NotNil(t, doc.Components.Responses["Problem"+status].Content[errs.ContentType].Example)
	}
	require.NotNil(t, put.RequestBody.Content["application/json"].Example)
	require.Contains(t, put.Description, "oneself or things:write")
	require.Len(t, put.Security, 2)
	require.Empty(t, doc.Paths["/api/v1/form"].Post.Security)
	require.Contains(t, doc.Paths["/api/v1/form"].Post.RequestBody.Content, "application/x-www-form-urlencoded")
}
