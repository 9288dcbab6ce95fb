package service

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/lifecycle"
	"github.com/atrium-mesh/atrium/pkg/op"
)

// Names of the servers in a service's group, for lifecycle.Group.Lookup.
const (
	HTTPServer  = "http"
	AdminServer = "admin"
)

// readHeaderTimeout is how long a client may take to say what it wants.
const readHeaderTimeout = 10 * time.Second

// addServers adds what lets requests in. Each starts after the service's own components and stops before them.
func (b *Base) addServers() {
	b.Group.AddLast("rpc", lifecycle.NewDeferred(b.migrated, lifecycle.Func(
		func(context.Context) error { return b.Ops.ServeNATS(b.NATS) }, //nolint:contextcheck // requests outlive the start
		b.Ops.StopNATS,
	), nil))
	handler := sync.OnceValue(b.handler)
	b.Group.AddLast("routes", lifecycle.Func(func(context.Context) error { handler(); return nil }, nil))
	server := lifecycle.NewHTTPServer(&http.Server{
		Addr:              b.config.HTTPAddr,
		ReadHeaderTimeout: readHeaderTimeout,
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler().ServeHTTP(w, r) }),
		TLSConfig:         b.tls,
		ErrorLog:          slog.NewLogLogger(b.Tel.Logger.Handler(), slog.LevelDebug), // of strangers, whose handshakes fail
	})
	b.Group.AddLast(HTTPServer, server)
	b.Group.AddLast("drain", b.Health.Draining(b.config.DrainDelay, server.Drain))
}

// handler is made when the service starts: only then are all operations known.
func (b *Base) handler() http.Handler {
	handler := b.untilMigrated(b.Ops.HTTP())
	for _, wrap := range b.wrappers {
		handler = wrap(handler)
	}
	return handler
}

// untilMigrated answers for operations whose tables may not be there yet.
func (b *Base) untilMigrated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !b.isMigrated() {
			starting := errs.New(errs.Unavailable, "starting", "The service is starting; try again in a moment.")
			errs.WriteProblem(w, starting.WithRetryAfter(time.Second), r.Header.Get(op.HeaderRequestID))
			return
		}
		next.ServeHTTP(w, r)
	})
}
