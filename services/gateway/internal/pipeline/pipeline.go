// Package pipeline owns what every request passes at the gateway, in this order, one file a step:
//
//	trace, request id, log line → recover → client address → strip → CORS → route → body limit → limit by address
//	→ authenticate → authorize → limit by user → read the body → watch the stream → (upstream: breaker, retry, deadline, proxy)
//
// A panic is caught inside of the span and the log line, so that both tell of it. The body is limited early and read late: a stranger
// makes the gateway hold nothing. Everything that the gateway refuses itself is a problem (RFC 9457), and nothing of a refused
// request reaches a service.
package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

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
	Redeem         func(ctx context.Context, ticket string) (token string, err error) // takes the ticket of a stream
	TrustedProxies netaddr.Trusted                                                    // whose word on the client's address and on traces counts
	LogClient      func(netip.Addr) string                                            // how log lines name the client's address; "" leaves it out. nil: they name none
	Origin         string                                                             // the gateway's own, as browsers see it
	Origins        []string                                                           // exact origins that browsers may call from besides
	Limits         map[op.Limit]Limit
	MaxBody        int64         // bytes
	BodyTimeout    time.Duration // how long a client may take to send a body; zero: 15 s
	AnswerTimeout  time.Duration // how long he may take to read an answer, beyond the operation's own time; zero: a minute
	Upstream       http.Handler
	Own            http.Handler // what the gateway serves itself: documents and extra handlers
	HSTS           string       // the Strict-Transport-Security field; empty: the gateway is not reached over TLS
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
	tracer      trace.Tracer
	metrics     metrics
	crossOrigin *http.CrossOriginProtection
	handler     http.Handler
}

// New makes the pipeline. Its order is this function.
func New(c Config) (*Pipeline, error) {
	c.BodyTimeout, c.AnswerTimeout = cmp.Or(c.BodyTimeout, 15*time.Second), cmp.Or(c.AnswerTimeout, time.Minute)
	if c.LogClient == nil {
		c.LogClient = func(netip.Addr) string { return "" }
	}
	m, err := newMetrics(c.Meter)
	if err != nil {
		return nil, fmt.Errorf("make the metrics: %w", err)
	}
	protection, err := newCrossOrigin(append([]string{c.Origin}, c.Origins...))
	if err != nil {
		return nil, err
	}
	p := &Pipeline{Config: c, tracer: c.Tracer.Tracer("atrium/gateway"), metrics: m, crossOrigin: protection}
	operation := p.bodyLimit(p.limitAddress(p.authenticate(p.authorize(p.limitUser(p.readBody(p.stream(c.Upstream)))))))
	p.handler = p.observe(p.recover(p.address(p.strip(p.cors(op.PlainURL(p.route(operation)))))))
	return p, nil
}

func (p *Pipeline) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }
