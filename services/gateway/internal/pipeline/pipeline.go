// Package pipeline owns what every request passes at the gateway, in this order, one file a step:
//
//	recover → trace and request id → client address → strip → CORS → route → body limit → limit by address
//	→ authenticate → authorize → limit by user → (upstream: breaker, retry, deadline, proxy)
//
// Everything that the gateway refuses itself is a problem (RFC 9457), and nothing of a refused request reaches a service.
package pipeline

import (
	"log/slog"
	"net/http"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/atrium-mesh/atrium/pkg/netaddr"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/ratelimit"
	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/services/gateway/internal/routes"
)

// Config is everything that the pipeline depends on.
type Config struct {
	Logger         *slog.Logger
	Tracer         trace.TracerProvider
	Meter          metric.MeterProvider
	Propagator     propagation.TextMapPropagator
	Routes         *routes.Table
	Verifier       *token.Verifier
	Watermarks     *token.Watermarks
	TrustedProxies netaddr.Trusted
	Origins        []string // exact origins that browsers may call from, beside the gateway's own
	Limits         map[op.Limit]Limit
	MaxBody        int64 // bytes
	Upstream       http.Handler
	Own            http.Handler // what the gateway serves itself: documents and extra handlers; nil: nothing
	HSTS           bool         // say Strict-Transport-Security: the gateway is reached over TLS
}

// Limit is a rate limit with the name that the RateLimit fields call it by.
type Limit struct {
	Name    string
	Limit   ratelimit.Limit
	Limiter ratelimit.Limiter
}

// Pipeline is the gateway's handler.
type Pipeline struct {
	Config
	tracer   trace.Tracer
	duration metric.Float64Histogram
	handler  http.Handler
}

// New makes the pipeline. Its order is this function.
func New(c Config) (*Pipeline, error) {
	duration, err := c.Meter.Meter("atrium/gateway").Float64Histogram("http.server.request.duration",
		metric.WithUnit("s"), metric.WithDescription("How long requests take, by route, method and status."),
		metric.WithExplicitBucketBoundaries(.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10))
	if err != nil {
		return nil, err
	}
	p := &Pipeline{Config: c, tracer: c.Tracer.Tracer("atrium/gateway"), duration: duration}
	route := p.bodyLimit(p.limitAddress(p.authenticate(p.authorize(p.limitUser(p.stream(c.Upstream))))))
	p.handler = p.recover(p.observe(p.address(p.strip(p.cors(op.PlainURL(p.route(route)))))))
	return p, nil
}

func (p *Pipeline) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }
