package test

import (
	"net/http"
	"testing"
)

// TestTraceIsRefused: TRACE would send back what a proxy added to the request, cookies included (ASVS 13.4.4).
func TestTraceIsRefused(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	for _, path := range []string{"/api/v1/users", "/.well-known/jwks.json"} {
		m.do(t, request{method: http.MethodTrace, path: path, token: m.issuer.SignAdmin(ada)}).
			refused(t, http.StatusMethodNotAllowed, "method_not_allowed")
	}
	m.silent(t)
}
