package test

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
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

// TestOwnAnswersAreDocumented: whatever the gateway refuses by itself, the contract of the operation knows the status.
func TestOwnAnswersAreDocumented(t *testing.T) {
	t.Parallel()
	m := start(t, config.Source{"MAX_BODY_BYTES": "2048"})
	big := strings.Repeat("x", 2049)
	cookie := auth.CookieAccess + "=" + m.issuer.SignUser(ada)
	for path, item := range gateway.OpenAPI(m.issuer.URL).Paths {
		for _, o := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete, item.Patch} {
			if o == nil {
				continue
			}
			at := strings.NewReplacer("{id}", ada, "{name}", "x", "{session_id}", ada).Replace(path)
			for name, q := range map[string]request{
				"nobody":              {},
				"a bad token":         {token: "nonsense"},
				"a token in the URL":  {path: "?access_token=x"},
				"a bad ticket":        {path: "?ticket=x"},
				"a bad escape":        {path: "?a=%zz"},
				"two cookies":         {header: http.Header{"Cookie": {cookie + "; " + cookie}}},
				"another's page":      {header: http.Header{"Origin": {"https://evil.example"}}},
				"another's, cookies":  {header: http.Header{"Origin": {"https://evil.example"}, "Cookie": {cookie}}},
				"another's, token":    {header: http.Header{"Origin": {"https://evil.example"}}, token: "nonsense"},
				"no permission":       {token: m.issuer.SignUser(bob)},
				"a large body":        {body: big},
				"a body of odd types": {body: "x", header: http.Header{"Content-Type": {"x", "y"}}},
			} {
				q.method, q.path = o.Method, at+q.path
				got := m.do(t, q)
				if got.Status < http.StatusBadRequest { // what stands for the service answers 200
					continue
				}
				require.Contains(t, o.Responses, strconv.Itoa(got.Status), "%s: %s: %s", o.OperationID, name, got.Body)
				require.NotEmpty(t, got.Problem.Code, "%s: %s: %d", o.OperationID, name, got.Status)
			}
		}
	}
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
