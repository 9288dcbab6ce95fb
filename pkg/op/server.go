package op

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-kit/kit/endpoint"
	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
)

// Config is everything a [Server] depends on.
type Config struct {
	Service    string // queue group on NATS and name in the API reference
	Logger     *slog.Logger
	Tracer     trace.TracerProvider
	Meter      metric.MeterProvider
	Propagator propagation.TextMapPropagator
	// Verify turns a bearer token into who it speaks for. Its errors are typed.
	Verify func(ctx context.Context, token string) (*authz.Principal, error)
	// VerifyService turns a service's token into its name. Its errors are typed. nil: no service is believed.
	VerifyService func(ctx context.Context, token string) (string, error)
	// Concurrency bounds how many NATS requests run at a time; zero: 256.
	Concurrency int
}

// Server serves a service's operations over HTTP and NATS.
type Server struct {
	service    string
	logger     *slog.Logger
	tracer     trace.Tracer
	propagator propagation.TextMapPropagator
	duration   metric.Float64Histogram
	verify     func(ctx context.Context, token string) (*authz.Principal, error)
	endpoint   endpoint.Endpoint

	verifyService func(ctx context.Context, token string) (string, error)

	routes []route
	slots  chan struct{} // one for each NATS request that may run
	calls  sync.WaitGroup

	mu   sync.Mutex
	subs []*nats.Subscription
}

// route is a handled operation: how to mount it on each transport.
type route struct {
	meta  Meta
	mount func(api reader)
	serve func(ctx context.Context, msg *nats.Msg)
}

// NewServer makes a server without operations; [Handle] adds them. It panics when Verify is missing.
func NewServer(c Config) *Server {
	if c.Verify == nil {
		panic("op: a server needs Verify")
	}
	if c.Concurrency == 0 {
		c.Concurrency = 256
	}
	duration, err := c.Meter.Meter("atrium/op").Float64Histogram("atrium.operation.duration",
		metric.WithUnit("s"), metric.WithDescription("How long operations take, by operation, transport and outcome."),
		metric.WithExplicitBucketBoundaries(.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10))
	if err != nil {
		panic("op: " + err.Error()) // a constant name: only a programming error
	}
	s := &Server{
		service: c.Service, logger: c.Logger, tracer: c.Tracer.Tracer("atrium/op"), propagator: c.Propagator,
		duration: duration, verify: c.Verify, verifyService: c.VerifyService, slots: make(chan struct{}, c.Concurrency),
	}
	if s.verifyService == nil {
		s.verifyService = believeNone
	}
	s.endpoint = s.chain()
	exactNames()
	return s
}

// exactNames tells huma, which has no other way, that member names match exactly.
var exactNames = sync.OnceFunc(func() { huma.ValidateStrictCasing = true })

func believeNone(context.Context, string) (string, error) {
	return "", errs.New(errs.Unavailable, authz.CodeServiceRefused, "No service is believed here.")
}

// Handle ties an operation to its implementation on every transport that it declares. It panics when the declaration is incomplete,
// so that a missing policy can never reach production.
func Handle[I, O any](s *Server, o Op[I, O], impl func(context.Context, *I) (*O, error)) {
	o.mustBeComplete()
	r := route{meta: o.Meta()}
	if o.Path != "" {
		r.mount = func(api reader) { mountHTTP(s, api, o, impl) }
	}
	if o.Subject != "" {
		r.serve = natsHandler(s, o, impl)
	}
	s.routes = append(s.routes, r)
}

// HandleRaw ties an operation to a plain HTTP handler behind the same chain: a stream (WebSocket, SSE; set Stream) or a page (set
// Hidden). The handler owns the connection; an error that it returns before it wrote anything is answered as a problem.
func HandleRaw[I any](s *Server, o Op[I, struct{}], h func(w http.ResponseWriter, r *http.Request, in *I) error) {
	o.mustBeComplete()
	s.routes = append(s.routes, route{meta: o.Meta(), mount: func(api reader) { mountRaw(s, api, o, h) }})
}

// Operations lists what is handled, in routing order.
func (s *Server) Operations() []Meta {
	out := make([]Meta, 0, len(s.routes))
	for _, r := range s.routes {
		out = append(out, r.meta)
	}
	slices.SortFunc(out, Compare)
	return out
}
