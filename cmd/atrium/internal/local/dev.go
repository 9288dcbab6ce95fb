package local

import (
	"net/http"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/devpage"
	"github.com/atrium-mesh/atrium/cmd/atrium/internal/inbox"
	"github.com/atrium-mesh/atrium/cmd/atrium/internal/traces"
)

// devHandler serves /dev: the inbox, the traces, and what their pages need.
func devHandler(store *inbox.Store, spans *traces.Store, hosts Hosts) (http.Handler, error) {
	mail, err := inbox.NewHandler(store)
	if err != nil {
		return nil, err
	}
	trace, err := traces.NewHandler(spans)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mail.Register(mux)
	trace.Register(mux)
	mux.Handle("GET /dev/assets/", devpage.Assets())
	mux.Handle("GET /dev/{$}", http.RedirectHandler("/dev/inbox", http.StatusFound))
	return guarded(mux, hosts), nil
}
