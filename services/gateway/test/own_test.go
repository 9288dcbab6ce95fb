package test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/services/gateway"
)

func TestOwnPages(t *testing.T) {
	t.Parallel()
	dev := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "dev "+r.URL.Path) })
	m := start(t, nil, gateway.WithHandler("/dev/", dev), gateway.WithHandler("/api/v1/users/", dev))
	for _, path := range []string{"/openapi.json", "/docs", "/redoc", "/docs/start.js", "/docs/swagger-ui-bundle.js", "/redoc/redoc.js"} {
		got := m.do(t, request{path: path})
		require.Equal(t, http.StatusOK, got.Status, path)
		require.NotEmpty(t, got.Header.Get("X-Request-Id"), path)
		require.Equal(t, "nosniff", got.Header.Get("X-Content-Type-Options"), path)
	}
	document, err := json.Marshal(gateway.OpenAPI(m.issuer.URL))
	require.NoError(t, err)
	require.JSONEq(t, string(document), m.do(t, request{path: "/openapi.json"}).Body, "what the CLI writes is what is served")
	require.Equal(t, "/docs", m.do(t, request{path: "/"}).Header.Get("Location"))
	require.Equal(t, "dev /dev/inbox", m.do(t, request{path: "/dev/inbox"}).Body)
	m.do(t, request{path: "/api/v1/users/" + ada}).refused(t, http.StatusUnauthorized, "token_missing") // a service's path cannot be taken
	m.do(t, request{path: "/docs/nothing.js"}).refused(t, http.StatusNotFound, "route_not_found")
	m.do(t, request{method: "POST", path: "/docs"}).refused(t, http.StatusNotFound, "route_not_found")
	m.silent(t)
}

func TestPanicOfAHandler(t *testing.T) {
	t.Parallel()
	m := start(t, nil, gateway.WithHandler("/dev/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/dev/late" {
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
		}
		panic("secret of main.go:7")
	})))
	got := m.do(t, request{path: "/dev/early"})
	got.refused(t, http.StatusInternalServerError, "internal")
	require.NotContains(t, got.Body, "secret")
	require.NotContains(t, got.Body, "goroutine")
	l := dial(t, m.URL)
	l.send("GET /dev/late HTTP/1.1", "Host: x", "", "")
	resp, err := http.ReadResponse(l.in, nil)
	require.NoError(t, err)
	defer resp.Body.Close()
	_, err = io.ReadAll(resp.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF, "nobody must take half an answer for a whole one")
	require.Equal(t, http.StatusOK, m.do(t, request{path: "/healthz"}).Status)
}
