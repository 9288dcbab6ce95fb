package pipeline

import (
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/trace"

	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/services/gateway/internal/routes"
)

// route finds the operation. What no service declares is left to the gateway's own documents.
func (p *Pipeline) route(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := ExchangeFrom(r.Context())
		if x.Route, x.Params = p.Routes.Find(r); x.Route != nil {
			trace.SpanFromContext(r.Context()).SetName(method(r) + " " + x.Route.Path)
			answerWithin(w, x.Route.Timeout+p.AnswerTimeout)
			onlyWebSocket(r, x.Route)
			next.ServeHTTP(w, r)
			return
		}
		allowed := p.Routes.Methods(r)
		switch {
		case len(allowed) > 0:
			w.Header().Set("Allow", strings.Join(append(allowed, http.MethodOptions), ", "))
			if r.Method == http.MethodOptions {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			Refuse(w, r, op.ErrMethod())
		case !routes.Plain(r.URL.Path):
			Refuse(w, r, op.ErrNoRoute())
		default:
			p.Own.ServeHTTP(w, r)
		}
	})
}

// onlyWebSocket ignores every wish for another protocol (RFC 9110 section 7.8): h2c, say, would be a tunnel past the gateway.
func onlyWebSocket(r *http.Request, route *routes.Route) {
	if !route.Stream || !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		r.Header.Del("Upgrade")
		r.Header.Del("Http2-Settings")
	}
}
