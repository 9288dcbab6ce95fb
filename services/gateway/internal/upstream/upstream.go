// Package upstream owns the way from the gateway to the services: one reverse proxy, and for each service a circuit breaker, retries
// where they are safe, and a deadline. HTTP, WebSocket and SSE go the same way; streams have no deadline and are never retried.
package upstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"time"

	"github.com/sony/gobreaker/v2"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/services/gateway/internal/pipeline"
)

// Config says where the services are.
type Config struct {
	Services   map[string]*url.URL // by name
	Tracer     trace.TracerProvider
	Propagator propagation.TextMapPropagator
	Logger     *slog.Logger
}

// Proxy sends a routed request to its service.
type Proxy struct {
	services map[string]*service
	proxy    *httputil.ReverseProxy
}

// service is one upstream with its breaker.
type service struct {
	url     *url.URL
	breaker *gobreaker.TwoStepCircuitBreaker[any]
}

// dialTimeout is how long a service may take to accept a connection: it is in the same network.
const dialTimeout = 2 * time.Second

// New makes the proxy.
func New(c Config) *Proxy {
	p := &Proxy{services: map[string]*service{}}
	for name, u := range c.Services {
		p.services[name] = &service{url: u, breaker: newBreaker(name, c.Logger)}
	}
	base := &http.Transport{
		DialContext:  (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext,
		MaxIdleConns: 1024, MaxIdleConnsPerHost: 256, IdleConnTimeout: 60 * time.Second,
		DisableCompression: true, // what the service sends is passed on as it is
	}
	p.proxy = &httputil.ReverseProxy{
		Rewrite:        p.rewrite,
		Transport:      &transport{base: base, proxy: p, tracer: c.Tracer.Tracer("atrium/gateway"), propagator: c.Propagator},
		FlushInterval:  -1,
		ModifyResponse: modifyResponse,
		ErrorHandler:   func(w http.ResponseWriter, r *http.Request, err error) { pipeline.Refuse(w, r, refusal(err)) },
		ErrorLog:       slog.NewLogLogger(c.Logger.Handler(), slog.LevelDebug),
	}
	return p
}

func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := pipeline.ExchangeFrom(r.Context())
	if x.Route.Stream {
		p.proxy.ServeHTTP(w, r)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), x.Route.Timeout+dialTimeout)
	defer cancel()
	p.proxy.ServeHTTP(w, r.WithContext(ctx))
}

// rewrite makes the request that the service gets: its own address, who asks as the gateway knows it, and the time that is left.
func (p *Proxy) rewrite(pr *httputil.ProxyRequest) {
	x := pipeline.ExchangeFrom(pr.In.Context())
	target := p.services[x.Route.Service].url
	pr.SetURL(target)
	pr.Out.Host = pr.In.Host
	h := pr.Out.Header
	h.Set(op.HeaderRequestID, x.RequestID)
	h.Set(op.HeaderClientIP, x.ClientIP)
	if x.Token != "" {
		h.Set("Authorization", "Bearer "+x.Token)
	}
	if !x.Route.Stream {
		h.Set("Atrium-Budget-Ms", strconv.FormatInt(x.Route.Timeout.Milliseconds(), 10))
	}
	if x.Route.Service != "auth" {
		h.Del("Cookie") // only auth has a use for a cookie: the refresh token's
	}
}

// modifyResponse leaves out what the gateway says itself.
func modifyResponse(resp *http.Response) error {
	for _, name := range []string{"Server", "X-Powered-By", op.HeaderRequestID} {
		resp.Header.Del(name)
	}
	return nil
}

// refusal is what a client is told when his request did not get through.
func refusal(err error) error {
	if _, ok := errors.AsType[*errs.Error](err); ok {
		return err
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return errs.New(errs.Timeout, "upstream_timeout", "The service did not answer in time.").WithCause(err)
	case errors.Is(err, context.Canceled):
		return errs.From(err)
	default:
		return unavailable(err)
	}
}

func unavailable(cause error) error {
	return errs.New(errs.Unavailable, "upstream_unavailable", "A part of the service is away for a moment; try again.").
		WithRetryAfter(openFor).WithCause(fmt.Errorf("upstream: %w", cause))
}
