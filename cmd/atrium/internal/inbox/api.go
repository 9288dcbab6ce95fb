package inbox

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/devpage"
	"github.com/atrium-mesh/atrium/pkg/errs"
)

// maxWait bounds a long poll, so that a forgotten client does not hold a connection for ever.
const maxWait = time.Minute

// Handler serves the page and the API of a Store.
type Handler struct {
	store *Store
	page  *devpage.Page
}

// NewHandler returns the handler of a store.
func NewHandler(store *Store) (*Handler, error) {
	page, err := devpage.New(templates, "templates/*.html")
	if err != nil {
		return nil, err
	}
	return &Handler{store: store, page: page}, nil
}

// Register mounts the inbox under /dev/inbox.
func (h *Handler) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /dev/inbox", h.showIndex)
	mux.HandleFunc("GET /dev/inbox/{id}", h.showMessage)
	mux.HandleFunc("GET /dev/inbox/messages", h.list)
	mux.HandleFunc("DELETE /dev/inbox/messages", h.clear)
	mux.HandleFunc("GET /dev/inbox/messages/{id}", h.get)
	mux.HandleFunc("GET /dev/inbox/messages/{id}/html", h.html)
}

type listResponse struct {
	Items []Message `json:"items"`
}

func (h *Handler) list(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	filter := Filter{To: query.Get("to"), Since: query.Get("since")}
	wait, err := parseWait(query.Get("wait"))
	if err != nil {
		errs.WriteProblem(w, err, "")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	writeJSON(w, listResponse{Items: h.store.Wait(ctx, filter)})
}

func (h *Handler) get(w http.ResponseWriter, r *http.Request) {
	m, ok := h.store.Get(r.PathValue("id"))
	if !ok {
		errs.WriteProblem(w, noSuchMessage(), "")
		return
	}
	writeJSON(w, m)
}

func (h *Handler) clear(w http.ResponseWriter, _ *http.Request) {
	if err := h.store.Clear(); err != nil {
		errs.WriteProblem(w, err, "")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// html serves a mail's HTML as a mail client would show it: no scripts, no forms, nothing fetched from elsewhere,
// in an origin of its own; links open in a new tab.
func (h *Handler) html(w http.ResponseWriter, r *http.Request) {
	m, ok := h.store.Get(r.PathValue("id"))
	if !ok {
		errs.WriteProblem(w, noSuchMessage(), "")
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "+
		"style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'")
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "SAMEORIGIN") // in place of the gateway's DENY: the page shows it in a frame
	_, _ = w.Write([]byte(`<base target="_blank">` + m.HTML))
}

func parseWait(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	wait, err := time.ParseDuration(s)
	if err != nil || wait < 0 {
		return 0, errs.InvalidField("query.wait", "format", "must be a duration such as 10s")
	}
	return min(wait, maxWait), nil
}

func noSuchMessage() error {
	return errs.New(errs.NotFound, "message_not_found", "There is no such message in the inbox.")
}

func writeJSON(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(body) // the client may be gone; there is nobody else to tell
}
