// Package docs owns what the gateway says about itself: the merged OpenAPI document of all services, made from their declarations,
// and the API reference at /docs (Swagger UI) and /redoc. Nothing is loaded from elsewhere.
package docs

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	redoc "github.com/mvrilo/go-redoc"
	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5emb"

	"github.com/atrium-mesh/atrium/pkg/op"
)

const title = "Atrium API"

// Document is the merged OpenAPI document of these operations. Server is the origin that clients call.
func Document(server string, operations []op.Declared) *huma.OpenAPI {
	doc := op.Document(huma.Info{
		Title: title, Version: "1", Description: about,
		License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
		Contact: &huma.Contact{Name: "Atrium", URL: "https://github.com/atrium-mesh/atrium"},
	}, "/api/v1/auth/token", operations)
	doc.Servers = []*huma.Server{{URL: server, Description: "This gateway"}}
	doc.Tags = tags(doc)
	return doc
}

const about = `Sign-up and sign-in, user management and notifications behind one origin.

Sign in with ` + "`POST /api/v1/auth/login`" + ` and send the access token as ` + "`Authorization: Bearer …`" + `; the Authorize button does it for you here.
Errors are problem details (RFC 9457): branch on ` + "`code`" + `, show ` + "`detail`" + `, quote ` + "`request_id`" + ` to support.
Lists take ` + "`page`" + ` and ` + "`page_size`" + `, or ` + "`cursor`" + ` for deep ones. Changes honour ` + "`If-Match`" + `. Times are RFC 3339 in UTC.`

// tags names every tag that an operation uses, once.
func tags(doc *huma.OpenAPI) []*huma.Tag {
	var names []string
	for _, item := range doc.Paths {
		for _, o := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete, item.Patch} {
			if o != nil {
				names = append(names, o.Tags...)
			}
		}
	}
	slices.Sort(names)
	var out []*huma.Tag
	for _, n := range slices.Compact(names) {
		out = append(out, &huma.Tag{Name: n, Description: "Operations on " + n + "."})
	}
	return out
}

// Handler serves /openapi.json, /docs and /redoc, and next for all else.
func Handler(doc *huma.OpenAPI, next http.Handler) (http.Handler, error) {
	body, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the OpenAPI document: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /openapi.json", document(body))
	ui := v5emb.NewHandlerWithConfig(swgui.Config{
		Title: title, SwaggerJSON: "/openapi.json", BasePath: "/docs/", HideCurl: false,
		SettingsUI: map[string]string{"persistAuthorization": "true", "tryItOutEnabled": "true", "docExpansion": `"list"`, "filter": "true"},
	})
	mux.Handle("GET /docs", withPolicy(ui))
	mux.Handle("GET /docs/", withPolicy(ui))
	mux.Handle("GET /redoc", withPolicy(http.HandlerFunc(redocPage)))
	mux.Handle("GET /redoc/redoc.js", script(redoc.JavaScript))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/docs", http.StatusFound) })
	mux.Handle("/", next)
	return mux, nil
}

func document(body []byte) http.Handler {
	sum := sha256.Sum256(body)
	etag := `"` + hex.EncodeToString(sum[:8]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("ETag", etag)
		h.Set("Cache-Control", "no-cache")
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write(body) // the client may be gone
	})
}

func script(js string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		w.Header().Set("Cache-Control", "public, max-age=86400")
		_, _ = w.Write([]byte(js)) // the client may be gone
	})
}

// withPolicy keeps the pages from loading anything from elsewhere. Both references write styles and the first one a script inline.
func withPolicy(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "+
			"img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'")
		next.ServeHTTP(w, r)
	})
}

var redocTemplate = template.Must(template.New("redoc").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{{.}}</title>
<style>body{margin:0}</style></head>
<body><div id="redoc"></div><script src="/redoc/redoc.js"></script>
<script>Redoc.init("/openapi.json",{disableGoogleFont:true,hideHostname:false,expandResponses:"200,201,202",theme:{typography:{fontFamily:"system-ui, sans-serif",headings:{fontFamily:"system-ui, sans-serif"}}}},document.getElementById("redoc"))</script>
</body></html>`))

func redocPage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = redocTemplate.Execute(w, title) // the client may be gone
}
