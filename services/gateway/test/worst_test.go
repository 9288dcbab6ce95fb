package test

import (
	"net/http"
	"testing"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/op/worsttest"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	notifications "github.com/atrium-mesh/atrium/services/notifications/api"
	users "github.com/atrium-mesh/atrium/services/users/api"
)

// worstRequests are what a stranger can have the gateway read, each kind on a route that asks for a token, one that does not, a stream, and
// where there is none.
func worstRequests() []worsttest.Request {
	var out []worsttest.Request
	for _, route := range []worsttest.Request{
		{Operation: auth.Login.OperationID, Method: http.MethodPost, Path: auth.Login.Path, ContentType: "application/json", Body: `{"email":"a@example.com","password":"x"}`},
		{Operation: users.GetMe.OperationID, Method: http.MethodGet, Path: users.GetMe.Path},
		{Operation: notifications.StreamNotifications.OperationID, Method: http.MethodGet, Path: notifications.StreamNotifications.Path},
		{Operation: "preflight", Method: http.MethodOptions, Path: auth.Login.Path},
		{Operation: "none", Method: http.MethodGet, Path: "/nothing"},
	} {
		out = append(out, worsttest.Queries(route)...)
		out = append(out, worsttest.Fields(route)...)
	}
	for _, prefix := range []string{"/", "/api/v1/users/", "/api/v1/auth/roles/"} {
		out = append(out, worsttest.Paths(http.MethodPut, prefix)...)
	}
	return out
}

// worst is a gateway behind a proxy, so that it reads who forwarded what.
func worst(t testing.TB) (*mesh, func(worsttest.Request) int) {
	t.Helper()
	m := start(t, config.Source{"TRUSTED_PROXIES": "127.0.0.0/8", "CORS_ORIGINS": "https://app.example.com"})
	return m, func(w worsttest.Request) int {
		r, ip := w.Numbered(t, m.URL)
		if r.Header.Get("X-Forwarded-For") == "" {
			r.Header.Set("X-Forwarded-For", ip)
		}
		if r.Method == http.MethodOptions && r.Header.Get("Origin") == "" {
			r.Header.Set("Origin", "https://app.example.com")
			r.Header.Set("Access-Control-Request-Method", http.MethodPost)
		}
		return worsttest.Send(t, r)
	}
}

// Whatever a stranger sends, the gateway's own work for it is bounded. It has its stubs beside it, which count as well.
//
//nolint:paralleltest // counts what the whole process does
func TestWorstRequests_cost_little_work(t *testing.T) {
	if testing.Short() {
		t.Skip("measures for a while")
	}
	_, send := worst(t)
	worsttest.Bounded(t, worstRequests(), nil, send)
}

// BenchmarkWorstRequests tells what reading the dearest requests costs the gateway.
func BenchmarkWorstRequests(b *testing.B) {
	_, send := worst(b)
	worsttest.Measured(b, worstRequests(), nil, send)
}
