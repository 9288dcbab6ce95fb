package pipeline

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/lifecycle"
)

// streamGrace is what a service has to say goodbye (a WebSocket close frame with the reason) before the gateway cuts the line.
const streamGrace = 300 * time.Millisecond

// stream ends a WebSocket or an event stream when its token is revoked or has expired, whatever the service does, and when the
// gateway stops. Cutting the line also wakes a write to a client who has stopped reading.
func (p *Pipeline) stream(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := ExchangeFrom(r.Context())
		if !x.Route.Stream {
			next.ServeHTTP(w, r)
			return
		}
		p.metrics.streams.Add(r.Context(), 1)
		defer p.metrics.streams.Add(r.Context(), -1)
		control := http.NewResponseController(w)
		_ = control.SetWriteDeadline(time.Time{}) // an event stream is an answer that takes hours

		var watcher sync.WaitGroup
		defer watcher.Wait()
		ctx, cut := context.WithCancel(r.Context())
		defer cut()
		defer context.AfterFunc(ctx, func() {
			_ = control.SetReadDeadline(time.Unix(1, 0))
			_ = control.SetWriteDeadline(time.Unix(1, 0))
		})()
		watcher.Go(func() { p.watch(ctx, x.Principal, cut) })
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// watch waits for the reason to end a stream, and cuts it. It returns when ctx ends.
func (p *Pipeline) watch(ctx context.Context, who *authz.Principal, cut context.CancelFunc) {
	defer cut()
	ended, expired := ctx.Done(), (<-chan time.Time)(nil)
	if who != nil {
		valid, done := p.Watermarks.Watch(ctx, who)
		defer done()
		expiry := time.NewTimer(time.Until(who.ExpiresAt))
		defer expiry.Stop()
		ended, expired = valid.Done(), expiry.C
	}
	select {
	case <-lifecycle.Stopping(ctx):
		return
	case <-ended:
	case <-expired:
	}
	grace := time.NewTimer(streamGrace)
	defer grace.Stop()
	select {
	case <-grace.C:
	case <-ctx.Done():
	}
}
