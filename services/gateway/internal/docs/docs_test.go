package docs_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/services/gateway/internal/docs"
	users "github.com/atrium-mesh/atrium/services/users/api"
)

func handler(t *testing.T, operations []op.Declared) http.Handler {
	t.Helper()
	h, err := docs.Handler(docs.Document("https://api.example.com", operations), http.NotFoundHandler())
	require.NoError(t, err)
	return h
}

func get(t *testing.T, h http.Handler, path, etag string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
	r.Header.Set("If-None-Match", etag)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestDocument(t *testing.T) {
	t.Parallel()
	doc := docs.Document("https://api.example.com", users.Operations())
	require.Equal(t, "https://api.example.com", doc.Servers[0].URL)
	require.Equal(t, "/api/v1/auth/token", doc.Components.SecuritySchemes[op.SchemePassword].Flows.Password.TokenURL)
	require.NotNil(t, doc.Paths["/api/v1/users/{id}"].Get)
	require.NotEmpty(t, doc.Tags)
	seen := map[string]bool{}
	for _, tag := range doc.Tags {
		require.False(t, seen[tag.Name], "tags are listed once")
		seen[tag.Name] = true
	}
	for path := range doc.Paths {
		require.True(t, strings.HasPrefix(path, "/"), "what is internal has no path")
	}
}

func TestHandlerServesTheDocument(t *testing.T) {
	t.Parallel()
	h := handler(t, users.Operations())
	w := get(t, h, "/openapi.json", "")
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	var doc map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &doc))
	require.Equal(t, "3.1.0", doc["openapi"])

	again := get(t, h, "/openapi.json", w.Header().Get("ETag"))
	require.Equal(t, http.StatusNotModified, again.Code)
	require.Zero(t, again.Body.Len())
}

func TestHandlerServesThePages(t *testing.T) {
	t.Parallel()
	h := handler(t, users.Operations())
	for path, contentType := range map[string]string{
		"/docs": "text/html", "/redoc": "text/html", "/docs/start.js": "text/javascript", "/redoc/start.js": "text/javascript",
		"/redoc/redoc.js": "text/javascript", "/docs/swagger-ui-bundle.js": "javascript", "/docs/swagger-ui.css": "text/css",
		"/docs/favicon-32x32.png": "image/png",
	} {
		w := get(t, h, path, "")
		require.Equal(t, http.StatusOK, w.Code, path)
		require.Contains(t, w.Header().Get("Content-Type"), contentType, path)
		require.NotZero(t, w.Body.Len(), path)
	}
	for from, to := range map[string]string{"/": "/docs", "/docs/": "/docs", "/redoc/": "/redoc"} {
		w := get(t, h, from, "")
		require.Equal(t, http.StatusFound, w.Code, from)
		require.Equal(t, to, w.Header().Get("Location"), from)
	}
	require.Equal(t, http.StatusNotFound, get(t, h, "/docs/oauth2-redirect.html", "").Code, "nothing that is not needed")
}

// The policy says what a page may load; this says that the pages themselves ask for nothing that it would refuse.
func TestPagesNeedNothingInlineOrFromElsewhere(t *testing.T) {
	t.Parallel()
	h := handler(t, nil)
	for _, path := range []string{"/docs", "/redoc"} {
		w := get(t, h, path, "")
		policy := w.Header().Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none'")
		require.Contains(t, policy, "script-src 'self';")
		body := w.Body.String()
		for _, not := range []string{"<script>", "http://", "https://", "onload=", "<style"} {
			require.NotContains(t, body, not, path)
		}
	}
}
