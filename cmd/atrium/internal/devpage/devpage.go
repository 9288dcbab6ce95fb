// Package devpage owns the frame of the pages that local mode serves under /dev: layout, stylesheet, scripts, and the
// headers that keep a page from loading anything from elsewhere. What stands in the frame belongs to the packages
// inbox and traces.
package devpage

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"time"
)

//go:embed templates
var templates embed.FS

//go:embed assets
var assets embed.FS

// policy allows what the pages' own origin serves and nothing else: no inline script, no remote image or font.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// View is what a page shows: the tab it belongs to ("inbox", "traces"), the title of the window, and the data of its own template.
type View struct {
	Tab   string
	Title string
	Body  any
}

// Page is a template inside the frame. It is safe for concurrent use.
type Page struct{ template *template.Template }

// New reads a page from files in fsys, one of which defines the template "body".
func New(fsys fs.FS, patterns ...string) (*Page, error) {
	t, err := template.New("layout.html").Funcs(template.FuncMap{"clock": clock, "stamp": stamp, "hue": Hue}).
		ParseFS(templates, "templates/layout.html")
	if err != nil {
		return nil, fmt.Errorf("read the frame of the /dev pages: %w", err)
	}
	if t, err = t.ParseFS(fsys, patterns...); err != nil {
		return nil, fmt.Errorf("read a /dev page: %w", err)
	}
	return &Page{template: t}, nil
}

// Write answers with the page, or with a plain 500 when its template fails.
func (p *Page) Write(w http.ResponseWriter, status int, view View) {
	var body bytes.Buffer
	if err := p.template.Execute(&body, view); err != nil {
		http.Error(w, "this page could not be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = body.WriteTo(w) // the reader is gone; nobody is left to tell
}

// Assets serves the stylesheet, the scripts and the icon at /dev/assets/.
func Assets() http.Handler {
	served := http.StripPrefix("/dev/", http.FileServerFS(assets))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		served.ServeHTTP(w, r)
	})
}

// Hue picks one of twelve colours for a name, always the same one.
func Hue(name string) int {
	hash := uint32(2166136261) // FNV-1a
	for _, b := range []byte(name) {
		hash = (hash ^ uint32(b)) * 16777619
	}
	return int(hash>>7) % 12
}

// clock is a short local time for lists: the hour today, else the day.
func clock(t time.Time) string {
	t = t.Local()
	now := time.Now()
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04")
	}
	return t.Format("2 Jan 15:04")
}

func stamp(t time.Time) string { return t.Local().Format("Monday, 2 January 2006, 15:04:05 MST") }
