package devpage_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/devpage"
)

func TestPage(t *testing.T) {
	t.Parallel()
	page, err := devpage.New(fstest.MapFS{"body.html": {Data: []byte(`{{define "body"}}<p>{{.Name}}</p>{{end}}`)}}, "*.html")
	require.NoError(t, err)
	recorder := httptest.NewRecorder()
	page.Write(recorder, http.StatusAccepted, devpage.View{Tab: "traces", Title: "A & B", Body: struct{ Name string }{"<b>"}})
	require.Equal(t, http.StatusAccepted, recorder.Code)
	require.Contains(t, recorder.Body.String(), "<p>&lt;b&gt;</p>")
	require.Contains(t, recorder.Body.String(), "<title>A &amp; B · Atrium</title>")
	require.Contains(t, recorder.Body.String(), `<a href="/dev/traces" aria-current="page">`)
	require.NotRegexp(t, `(src|href)="https?:`, recorder.Body.String(), "nothing is loaded from elsewhere")
	require.NotContains(t, recorder.Header().Get("Content-Security-Policy"), "unsafe-inline")

	recorder = httptest.NewRecorder()
	page.Write(recorder, http.StatusOK, devpage.View{Body: struct{}{}})
	require.Equal(t, http.StatusInternalServerError, recorder.Code, "a page that cannot be made is not half sent")

	_, err = devpage.New(fstest.MapFS{"body.html": {Data: []byte(`{{define "body"}}{{`)}}, "*.html")
	require.ErrorContains(t, err, "read a /dev page")
}

func TestAssets(t *testing.T) {
	t.Parallel()
	for path, contentType := range map[string]string{
		"dev.css": "text/css; charset=utf-8", "inbox.js": "text/javascript; charset=utf-8", "traces.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml",
	} {
		recorder := httptest.NewRecorder()
		devpage.Assets().ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/dev/assets/"+path, nil))
		require.Equal(t, http.StatusOK, recorder.Code, path)
		require.Equal(t, contentType, recorder.Header().Get("Content-Type"), path)
	}
	recorder := httptest.NewRecorder()
	devpage.Assets().ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/dev/templates/layout.html", nil))
	require.NotEqual(t, http.StatusOK, recorder.Code, "only assets are served, wherever it is mounted")
}

func TestHue(t *testing.T) {
	t.Parallel()
	seen := map[int]bool{}
	for _, name := range []string{"auth", "users", "notifications", "gateway"} {
		hue := devpage.Hue(name)
		require.True(t, hue >= 0 && hue < 12)
		require.Equal(t, hue, devpage.Hue(name))
		seen[hue] = true
	}
	require.Len(t, seen, 4, "the services can be told apart")
}
