package traces

import (
	"embed"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/devpage"
	"github.com/atrium-mesh/atrium/pkg/errs"
)

//go:embed templates
var templates embed.FS

// Handler serves the pages of a Store.
type Handler struct {
	store    *Store
	list     *devpage.Page
	one      *devpage.Page
	notFound *devpage.Page
}

// NewHandler returns the handler of a store.
func NewHandler(store *Store) (*Handler, error) {
	h := &Handler{store: store}
	for name, page := range map[string]**devpage.Page{"list": &h.list, "trace": &h.one, "missing": &h.notFound} {
		var err error
		if *page, err = devpage.New(templates, "templates/"+name+".html"); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// Register mounts the pages under /dev/traces.
func (h *Handler) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /dev/traces", h.showList)
	mux.HandleFunc("GET /dev/traces.json", h.listJSON)
	mux.HandleFunc("GET /dev/traces/{id}", h.showTrace)
}

type listData struct {
	Query  string
	All    bool
	Rows   []listRow
	Origin string
}

type listRow struct {
	Summary
	Share string // of the longest trace in the list, as a percentage, on a logarithmic scale
}

func (h *Handler) showList(w http.ResponseWriter, r *http.Request) {
	filter := filterOf(r)
	data := listData{Query: filter.Query, All: filter.All, Origin: "http://" + r.Host}
	longest := 0.0
	found := h.store.List(filter)
	for _, s := range found {
		longest = max(longest, s.DurationMS)
	}
	for _, s := range found {
		data.Rows = append(data.Rows, listRow{Summary: s, Share: percent(math.Log1p(s.DurationMS) / math.Log1p(longest+1e-9))})
	}
	h.list.Write(w, http.StatusOK, devpage.View{Tab: "traces", Title: "Traces", Body: data})
}

func (h *Handler) listJSON(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, map[string][]Summary{"items": h.store.List(filterOf(r))})
}

func (h *Handler) showTrace(w http.ResponseWriter, r *http.Request) {
	id, asJSON := strings.CutSuffix(r.PathValue("id"), ".json")
	t, ok := h.store.Get(id)
	switch {
	case !ok && asJSON:
		errs.WriteProblem(w, errs.New(errs.NotFound, "trace_not_found", "There is no such trace, or it was forgotten for newer ones."), "")
	case !ok:
		h.notFound.Write(w, http.StatusNotFound, devpage.View{Tab: "traces", Title: "No such trace"})
	case asJSON:
		writeJSON(w, t)
	default:
		h.one.Write(w, http.StatusOK, devpage.View{Tab: "traces", Title: t.root().Name, Body: waterfallOf(&t)})
	}
}

func filterOf(r *http.Request) Filter {
	query := r.URL.Query()
	return Filter{Query: strings.TrimSpace(query.Get("q")), All: query.Get("all") != ""}
}

func writeJSON(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_ = json.NewEncoder(w).Encode(body) // the client may be gone; there is nobody else to tell
}

func percent(share float64) string { return fmt.Sprintf("%.3f%%", 100*min(max(share, 0), 1)) }

// Took is a duration as a person reads it: three digits are enough.
func Took(d time.Duration) string {
	switch {
	case d < 0:
		return "0 ms"
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < 100*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	default:
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
}

// Took is the summary's duration for people.
func (s Summary) Took() string { return Took(s.Duration()) }
