package pipeline

import (
	"context"
	"net/http"
	"time"
)

// streamGrace is what a service has to say goodbye (a WebSocket close frame with the reason) before the gateway cuts the line.
const streamGrace = 300 * time.Millisecond

// stream ends a WebSocket or SSE stream when its token is revoked or has expired, whatever the service does.
func (p *Pipeline) stream(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := ExchangeFrom(r.Context())
		if !x.Route.Stream || x.Principal == nil {
			next.ServeHTTP(w, r)
			return
		}
		watched, done := p.Watermarks.Watch(r.Context(), x.Principal)
		defer done()
		ctx, cancel := context.WithCancel(context.WithoutCancel(watched))
		defer cancel()
		defer context.AfterFunc(r.Context(), cancel)()
		defer context.AfterFunc(watched, func() { time.AfterFunc(streamGrace, cancel) })()
		expiry := time.AfterFunc(time.Until(x.Principal.ExpiresAt)+streamGrace, cancel)
		defer expiry.Stop()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
