package health

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/atrium-mesh/atrium/pkg/lifecycle"
)

// LiveHandler answers 200 as long as the process can answer at all.
func LiveHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeReport(w, Report{Status: OK, Checks: map[string]Result{}})
	})
}

// ReadyHandler answers 200 when every check is well and 503 otherwise, with the report either way.
func (c *Checks) ReadyHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeReport(w, c.Ready(r.Context()))
	})
}

func writeReport(w http.ResponseWriter, report Report) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if report.Status != OK {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(report) // the prober has gone: nobody to tell
}

// NewAdmin is the server of the admin port: /livez, /readyz and /metrics. It belongs first into a group, so that
// it is there while the rest starts and still there while the rest stops.
func NewAdmin(addr string, checks *Checks, metrics http.Handler) *lifecycle.HTTPServer {
	mux := http.NewServeMux()
	mux.Handle("GET /livez", LiveHandler())
	mux.Handle("GET /readyz", checks.ReadyHandler())
	if metrics != nil {
		mux.Handle("GET /metrics", metrics)
	}
	return lifecycle.NewHTTPServer(&http.Server{
		Addr:              addr,
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		WriteTimeout:      30 * time.Second,
	})
}
