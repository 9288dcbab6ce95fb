package routes_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/services/gateway/internal/routes"
)

func operation(id, method, path string, stream bool) op.Declared {
	return op.Op[struct{}, struct{}]{
		Operation: huma.Operation{OperationID: id, Method: method, Path: path, Summary: id}, Allow: authz.Public(), Stream: stream,
	}
}

func table() *routes.Table {
	return routes.New([]routes.Service{
		{Name: "users", Operations: []op.Declared{
			operation("get-user", "GET", "/users/{id}", false), operation("put-user", "PUT", "/users/{id}", false),
			operation("get-me", "GET", "/users/me", false),
			op.Op[struct{}, struct{}]{Operation: huma.Operation{OperationID: "inner"}, Subject: "rpc.users.inner", Allow: authz.Services("gateway")},
		}},
		{Name: "auth", Operations: []op.Declared{
			operation("sessions", "GET", "/users/{id}/sessions", false), operation("events", "GET", "/events", true),
		}},
	})
}

func TestFind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ method, target, id, service, param string }{
		{"GET", "/users/7", "get-user", "users", "7"},
		{"PUT", "/users/7", "put-user", "users", "7"},
		{"HEAD", "/users/7", "get-user", "users", "7"},
		{"GET", "/users/me", "get-me", "users", ""},
		{"PUT", "/users/me", "", "", ""},
		{"GET", "/users/7/sessions", "sessions", "auth", "7"},
		{"GET", "/users/a%2Fb", "get-user", "users", "a%2Fb"},
		{"GET", "/events", "events", "auth", ""},
		{"HEAD", "/events", "", "", ""},
		{"POST", "/users/7", "", "", ""},
		{"GET", "/users/", "", "", ""},
		{"GET", "/users/..", "", "", ""},
		{"GET", "/users/%2E%2e", "", "", ""},
		{"GET", "/users//7", "", "", ""},
		{"GET", "/users/7/../me", "", "", ""},
		{"GET", "/", "", "", ""},
	} {
		route, params := table().Find(httptest.NewRequestWithContext(t.Context(), c.method, c.target, http.NoBody))
		if c.id == "" {
			require.Nil(t, route, "%s %s", c.method, c.target)
			continue
		}
		require.NotNil(t, route, "%s %s", c.method, c.target)
		require.Equal(t, c.id, route.ID)
		require.Equal(t, c.service, route.Service)
		require.Equal(t, c.param, params["id"])
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	for target, want := range map[string][]string{
		"/users/7": {"GET", "HEAD", "PUT"}, "/users/me": {"GET", "HEAD"}, "/events": {"GET"}, "/nowhere": nil, "/users/..": nil,
	} {
		require.Equal(t, want, table().Methods(httptest.NewRequestWithContext(t.Context(), "BREW", target, http.NoBody)), target)
	}
}

// TestLongPath: what it costs to read a path is paid for each method that is tried, and not for each route.
//
//nolint:paralleltest // counts pieces of memory
func TestLongPath(t *testing.T) {
	var many []op.Declared
	for i := range 200 {
		id := strconv.Itoa(i)
		many = append(many, operation(id, "GET", "/"+id+"/{id}", false))
	}
	large := routes.New([]routes.Service{{Name: "users", Operations: many}})
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/"+strings.Repeat("%61", op.MaxURL/3-1), http.NoBody)
	// A dozen, and one or two for each route with the race detector, which takes things out of pools. Six for each route are too many.
	require.Less(t, testing.AllocsPerRun(10, func() { large.Methods(r) }), 800.0)
}

func TestTwoOperationsForOnePath(t *testing.T) {
	t.Parallel()
	require.PanicsWithValue(t, "routes: b and a both claim GET /x", func() {
		routes.New([]routes.Service{
			{Name: "one", Operations: []op.Declared{operation("a", "GET", "/x", false)}},
			{Name: "two", Operations: []op.Declared{operation("b", "GET", "/x", false)}},
		})
	})
	require.Len(t, table().All(), 5, "what is internal has no route")
}

func TestPlain(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/": true, "/a": true, "/a/": true, "/a/b.c": true, "/a/...": true, "": false, "*": false, "a": false, "//": false, "/a//b": false,
		"/.": false, "/..": false, "/a/./b": false, "/a/../b": false, "/a/..": false, "/a/.": false, "/a//": false,
	} {
		require.Equal(t, want, routes.Plain(path), path)
	}
}
