// Package upstream owns the way from the gateway to the services: one reverse proxy, a circuit breaker for each operation, retries
// where they are safe, and a deadline. HTTP, WebSocket and SSE go the same way; streams have no deadline, and are
// repeated only when the service has not begun with them.
package upstream

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/tlsfile"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/gateway/internal/pipeline"
	"github.com/atrium-mesh/atrium/services/gateway/internal/routes"
)

// authService is the only one that gets a cookie and that may set one.
const authService = "auth"

// Config says where the services are.
type Config struct {
	Services   map[string]*url.URL // by name
	Routes     []routes.Route      // what may be asked of them
	Roots      *tlsfile.Roots      // who vouches for them
	Identity   op.Identity         // what says to them that it is the gateway who asks
	Tracer     trace.TracerProvider
	Meter      metric.MeterProvider
	Propagator propagation.TextMapPropagator
	Logger     *slog.Logger
}

// Proxy sends a routed request to its service. It is a lifecycle component, whose Stop closes the connections that are kept.
type Proxy struct {
	services  map[string]*url.URL
	transport *transport
	proxy     *httputil.ReverseProxy
}

// slack is how much longer than the operation may take the gateway waits: for connecting, and for the service's own "too late".
const slack = 500 * time.Millisecond

// New makes the proxy. Every route must be of a service that Config names.
func New(c Config) (*Proxy, error) {
	t, err := newTransport(c)
	if err != nil {
		return nil, err
	}
	for _, r := range c.Routes {
		if c.Services[r.Service] == nil {
			return nil, fmt.Errorf("%s: nobody says where the service %s is", r.ID, r.Service)
		}
	}
	p := &Proxy{services: c.Services, transport: t}
	p.proxy = &httputil.ReverseProxy{
		Rewrite:        p.rewrite,
		Transport:      t,
		BufferPool:     newBuffers(),
		ModifyResponse: clean,
		ErrorHandler:   func(w http.ResponseWriter, r *http.Request, err error) { pipeline.Refuse(w, r, refusal(r, err)) },
		ErrorLog:       slog.NewLogLogger(c.Logger.Handler(), slog.LevelDebug),
	}
	return p, nil
}

func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := pipeline.ExchangeFrom(r.Context())
	if x.Route.Stream {
		p.proxy.ServeHTTP(w, r)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), x.Route.Timeout+slack)
	defer cancel()
	p.proxy.ServeHTTP(w, r.WithContext(ctx))
}

// rewrite makes the request that the service gets: at its own address, from whom the gateway knows it is.
func (p *Proxy) rewrite(pr *httputil.ProxyRequest) {
	x := pipeline.ExchangeFrom(pr.In.Context())
	pr.SetURL(p.services[x.Route.Service])
	pr.Out.Method = x.Route.Method // GET for HEAD: net/http leaves the body out
	h := pr.Out.Header
	h.Set(op.HeaderRequestID, x.RequestID)
	if x.Client.IsValid() {
		h.Set(op.HeaderClientIP, x.Client.String())
	}
	if x.Token != "" {
		h.Set("Authorization", "Bearer "+x.Token)
	}
	if x.Lost != "" && x.Route.Service == authService {
		h.Set(auth.HeaderCookiesLost, x.Lost)
	}
	h.Del("Expect") // the body is here
	h.Del("Origin") // checked here; a service compares it with its own address
	h.Del("Cookie")
	if x.Route.Service != authService {
		return
	}
	for _, name := range auth.Cookies() {
		c, err := pr.In.Cookie(name) // the only one, where the operation reads any
		if err == nil && name != auth.CookieAccess {
			pr.Out.AddCookie(c)
		}
	}
}

// Start does nothing: connections are made when they are needed.
func (p *Proxy) Start(context.Context) error { return nil }

// Stop closes the connections that no request uses.
func (p *Proxy) Stop(context.Context) error {
	p.transport.close()
	return nil
}
