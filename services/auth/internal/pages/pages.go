// Package pages owns the small pages that links in mails lead to: what they say, and how they are served.
//
// A page is one answer with its style and script in it, and calls the API of the same origin with fetch. Opening one changes nothing: a
// mail scanner that follows links uses none of them up. The token stays in the address only until the script has read it; the page
// itself does not contain it, is not cached, sends no Referer, and its Content-Security-Policy lets nothing in or out but the API.
package pages

import (
	"bytes"
	"crypto/rand"
	"embed"
	"fmt"
	"html/template"
	"net/http"

	"github.com/atrium-mesh/atrium/services/auth/api"
)

//go:embed assets
var assets embed.FS

// Pages serves the pages. It is read-only and safe for concurrent use.
type Pages struct {
	layout *template.Template
	css    template.CSS
	js     template.JS
}

// New reads the layout.
func New() (*Pages, error) {
	layout, err := template.ParseFS(assets, "assets/page.html")
	if err != nil {
		return nil, fmt.Errorf("read the pages: %w", err)
	}
	css, err := assets.ReadFile("assets/page.css")
	if err != nil {
		return nil, fmt.Errorf("read the pages: %w", err)
	}
	js, err := assets.ReadFile("assets/page.js")
	if err != nil {
		return nil, fmt.Errorf("read the pages: %w", err)
	}
	return &Pages{layout: layout, css: template.CSS(css), js: template.JS(js)}, nil //nolint:gosec // they are compiled in
}

// Handler serves a page.
func (p *Pages) Handler(page Page) func(http.ResponseWriter, *http.Request, *api.PageRequest) error {
	return func(w http.ResponseWriter, _ *http.Request, _ *api.PageRequest) error {
		nonce := rand.Text()
		var body bytes.Buffer
		err := p.layout.Execute(&body, struct {
			Page
			Nonce string
			CSS   template.CSS
			JS    template.JS
		}{page, nonce, p.css, p.js})
		if err != nil {
			return fmt.Errorf("render page %s: %w", page.Heading, err)
		}
		headers(w.Header(), nonce)
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(body.Bytes())
		return nil
	}
}

func headers(h http.Header, nonce string) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'nonce-"+nonce+"'; style-src 'nonce-"+nonce+"'; connect-src 'self'; "+
		"form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
}
