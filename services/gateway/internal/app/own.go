package app

import (
	"net/http"

	"github.com/atrium-mesh/atrium/pkg/health"
	"github.com/atrium-mesh/atrium/pkg/op"
	gateway "github.com/atrium-mesh/atrium/services/gateway/internal/config"
	"github.com/atrium-mesh/atrium/services/gateway/internal/docs"
	"github.com/atrium-mesh/atrium/services/gateway/internal/pipeline"
)

// Extra is a handler for paths below a prefix that no service owns, such as local mode's /dev/.
type Extra struct {
	Prefix  string
	Handler http.Handler
}

// Own is what the gateway serves itself besides its reference and its health.
type Own struct {
	Extras []Extra
	Wrap   func(http.Handler) http.Handler // around all of it; nil: nothing
}

// own serves what the gateway says itself: the API reference, its health, and what was mounted; a problem for all else.
func own(cfg gateway.Config, checks *health.Checks, more Own) (http.Handler, error) {
	mux := http.NewServeMux()
	mux.Handle("GET /healthz", healthz(checks))
	for _, e := range more.Extras {
		mux.Handle(e.Prefix, e.Handler)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { pipeline.Refuse(w, r, op.ErrNoRoute()) })
	h, err := docs.Handler(docs.Document(cfg.Issuer, Operations()), mux)
	if err != nil || more.Wrap == nil {
		return h, err
	}
	return more.Wrap(h), nil
}

// healthz is for load balancers, which do not reach the admin port: whether to send traffic here, and not a word more.
func healthz(checks *health.Checks) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		status := checks.Ready(r.Context()).Status
		if status != health.OK {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = w.Write([]byte(`{"status":"` + status + `"}` + "\n")) // the prober may be gone
	})
}
