package routes_test

import (
	"bufio"
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
	"github.com/atrium-mesh/atrium/services/gateway/internal/app"
	"github.com/atrium-mesh/atrium/services/gateway/internal/routes"
)

// service answers with the id of the operation that the kit's own router finds.
func service(s routes.Service) http.Handler {
	tel := telemetry.Nop()
	server := op.NewServer(op.Config{
		Service: s.Name, Logger: slog.New(slog.DiscardHandler), Tracer: tel.Tracer, Meter: tel.Meter, Propagator: tel.Propagator,
		Verify: func(context.Context, string) (*authz.Principal, error) { return nil, nil }, //nolint:nilnil // never called
	})
	for _, o := range s.Operations {
		m := o.Meta()
		if m.Path == "" {
			continue
		}
		op.HandleRaw(server, op.Op[struct{}, struct{}]{
			Operation: huma.Operation{OperationID: m.ID, Method: m.Method, Path: m.Path, Summary: m.Summary}, Allow: authz.Public(),
		}, func(w http.ResponseWriter, _ *http.Request, _ *struct{}) error {
			w.Header().Set("Operation", m.ID)
			w.WriteHeader(http.StatusNoContent)
			return nil
		})
	}
	return server.HTTP()
}

// FuzzFind asks for any path with any method: when the gateway finds an operation, its service, given the request as the gateway sends
// it on, finds the same one. Where they differed, a policy would have been checked that is not that of what is done.
func FuzzFind(f *testing.F) {
	services, table := app.Services(), routes.New(app.Services())
	handlers := map[string]http.Handler{}
	for _, s := range services {
		handlers[s.Name] = service(s)
	}
	for _, r := range table.All() {
		f.Add(r.Method, strings.NewReplacer("{id}", "0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e", "{name}", "a%2Fb", "{session_id}", "me").Replace(r.Path))
	}
	for _, target := range []string{
		"/api/v1/users/%6De", "/api/v1/users/me%2Fsessions", "/api/v1/users/..%2froles", "//api/v1/users", "/api/v1/users/me;x", "/api/v1/roles/%25",
		"http://elsewhere/api/v1/users/me", "/api/v1/users/me?x#y", "/api/v1/users/me%00", "/%61pi/v1/users", "*", "/api/v1/users/me/", "/api/v1/roles/%",
	} {
		f.Add("GET", target)
	}
	f.Fuzz(func(t *testing.T, method, target string) {
		in := parse(method, target)
		if in == nil {
			return
		}
		route, _ := table.Find(in)
		if route == nil {
			return
		}
		out := forwarded(t, in, route.Method)
		w := httptest.NewRecorder()
		handlers[route.Service].ServeHTTP(w, out)
		if w.Code == http.StatusBadRequest { // not UTF-8: refused by both before anything is looked for
			return
		}
		require.Equal(t, route.ID, w.Header().Get("Operation"), "%s %s: %d", method, target, w.Code)
	})
}

// parse is what net/http makes of the line; nil when it would refuse it.
func parse(method, target string) *http.Request {
	if strings.ContainsAny(method+target, " \r\n") {
		return nil
	}
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(method + " " + target + " HTTP/1.1\r\nHost: gateway\r\n\r\n")))
	if err != nil {
		return nil
	}
	return r
}

// forwarded is the request as the service reads it, after the way over the wire.
func forwarded(t *testing.T, in *http.Request, method string) *http.Request {
	t.Helper()
	out := in.Clone(t.Context())
	out.Method, out.RequestURI = method, ""
	out.URL.Scheme, out.URL.Host, out.URL.RawQuery = "http", "service", "" // queries are the service's to validate
	var wire bytes.Buffer
	require.NoError(t, out.Write(&wire))
	r, err := http.ReadRequest(bufio.NewReader(&wire))
	require.NoError(t, err)
	return r.WithContext(t.Context())
}

func TestEveryOperationIsFound(t *testing.T) {
	t.Parallel()
	table := routes.New(app.Services())
	for _, r := range table.All() {
		path := strings.NewReplacer("{", "", "}", "").Replace(r.Path)
		found, _ := table.Find(parse(r.Method, path))
		require.NotNil(t, found, r.ID)
		require.Equal(t, r.ID, found.ID)
		require.True(t, slices.Contains(table.Methods(parse("BREW", path)), r.Method), r.ID)
	}
}
