package docs

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	redoc "github.com/mvrilo/go-redoc"
	swaggerui "github.com/swaggest/swgui/v5/static"
	"github.com/vearutop/statigz"
)

//go:embed pages
var pages embed.FS

// policy keeps the pages from running or loading anything but our own files. Both references write styles while they run, and Redoc
// searches in a worker that it makes itself.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
	"connect-src 'self'; worker-src blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

const (
	typePage   = "text/html; charset=utf-8"
	typeScript = "text/javascript; charset=utf-8"
)

// Handler serves /openapi.json, /docs (Swagger UI) and /redoc, and next for all else.
func Handler(doc *huma.OpenAPI, next http.Handler) (http.Handler, error) {
	body, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the OpenAPI document: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /openapi.json", content("application/json", body))
	mux.Handle("GET /redoc/redoc.js", content(typeScript, []byte(redoc.JavaScript)))
	for _, p := range []struct{ path, file, contentType string }{
		{"/docs", "swagger.html", typePage},
		{"/docs/start.js", "swagger.js", typeScript},
		{"/redoc", "redoc.html", typePage},
		{"/redoc/start.js", "redoc.js", typeScript},
	} {
		page, err := pages.ReadFile("pages/" + p.file)
		if err != nil {
			return nil, fmt.Errorf("read the page %s: %w", p.file, err)
		}
		mux.Handle("GET "+p.path, content(p.contentType, page))
	}
	assets := http.StripPrefix("/docs/", statigz.FileServer(swaggerui.FS))
	for _, file := range []string{"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"} {
		mux.Handle("GET /docs/"+file, assets)
	}
	for from, to := range map[string]string{"/": "/docs", "/docs/": "/docs", "/redoc/": "/redoc"} {
		mux.Handle("GET "+from+"{$}", http.RedirectHandler(to, http.StatusFound))
	}
	mux.Handle("/", next)
	return mux, nil
}

// content serves what does not change while the process runs.
func content(contentType string, body []byte) http.Handler {
	sum := sha256.Sum256(body)
	etag := `"` + hex.EncodeToString(sum[:8]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", contentType)
		h.Set("Content-Security-Policy", policy)
		h.Set("ETag", etag)
		h.Set("Cache-Control", "no-cache")
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write(body) // the client may be gone
	})
}
