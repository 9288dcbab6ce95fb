package local

import (
	"net"
	"net/http"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/devpage"
	"github.com/atrium-mesh/atrium/cmd/atrium/internal/inbox"
	"github.com/atrium-mesh/atrium/cmd/atrium/internal/traces"
	"github.com/atrium-mesh/atrium/pkg/errs"
)

// devHandler serves /dev: the inbox, the traces, and what their pages need.
func devHandler(store *inbox.Store, spans *traces.Store, listen listenAddress) (http.Handler, error) {
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
	return guarded(mux, listen), nil
}

// guarded keeps other sites' pages out, since mails hold links that change passwords. A cross-origin request may not
// change anything; and on a loopback listener the Host must be this machine's, so that a name of somebody else's that
// resolves to 127.0.0.1 (DNS rebinding) reads nothing.
func guarded(next http.Handler, listen listenAddress) http.Handler {
	next = http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if listen.Loopback() && !localName(r.Host) {
			errs.WriteProblem(w, errs.New(errs.Forbidden, "foreign_host", "The /dev pages are only served under a name of this machine."), "")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func localName(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}
