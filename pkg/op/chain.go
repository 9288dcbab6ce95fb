package op

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/go-kit/kit/endpoint"
	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
)

// call is one request on its way through the chain, the same for both transports.
type call struct {
	meta      Meta
	transport string // "http" or "nats"
	claimed   claimed
	trace     propagation.TextMapCarrier // what the message says of its trace
	hop       string                     // the service that made the hop; "": none that is believed
	hopErr    error                      // why not, when one said that it did
	request   request.Request            // what is believed of claimed
	believed  func()                     // called once the hop is known to be good; may be nil
	budget    time.Duration              // what the caller will still wait; zero: not said
	ends      time.Time                  // when it must have ended; streams go on
	param     func(name string) string
	run       func(ctx context.Context) (any, error) // decode, validate, implementation
	status    func() int                             // what HTTP answered; nil for NATS
}

// margin is kept back from the caller's deadline, so that an answer still reaches him; with less than that left there is no point
// in starting.
const margin = 20 * time.Millisecond

// chain is the one place where the middleware of every operation is put together.
func (s *Server) chain() endpoint.Endpoint {
	return endpoint.Chain(
		s.recover, // also of what the next three do
		s.hop,
		s.span,
		s.observe,
		s.recover,
		s.deadline,
		s.identify,
		s.authenticate,
		s.authorize,
	)(func(ctx context.Context, req any) (any, error) {
		return req.(*call).run(ctx)
	})
}

// hop learns which service made the hop. It comes first, since that decides whose trace the request belongs to: see [Server.identify].
func (s *Server) hop(next endpoint.Endpoint) endpoint.Endpoint {
	return func(ctx context.Context, req any) (any, error) {
		c := req.(*call)
		c.ends = time.Now().Add(c.limit())
		if c.claimed.service != "" {
			c.hop, c.hopErr = s.verifyHop(ctx, c)
		}
		c.request = c.claimed.request(c.hop)
		if c.hopErr != nil {
			c.request.ID = c.claimed.request(unknownHop).ID // whoever sent it finds the refusal by it
		}
		return next(ctx, req)
	}
}

// verifyHop may wait for keys, but no longer than the request may take.
func (s *Server) verifyHop(ctx context.Context, c *call) (string, error) {
	ctx, cancel := context.WithDeadline(ctx, c.ends)
	defer cancel()
	return s.verifyService(ctx, c.claimed.service)
}

// limit is how long the request may take, as the operation and the caller have it.
func (c *call) limit() time.Duration {
	if c.budget > 0 {
		return min(c.meta.Timeout, c.budget-margin)
	}
	return c.meta.Timeout
}

func (s *Server) span(next endpoint.Endpoint) endpoint.Endpoint {
	return func(ctx context.Context, req any) (any, error) {
		c := req.(*call)
		ctx, options := telemetry.Caller(ctx, s.propagator, c.trace, c.hop != "")
		if c.meta.Quiet {
			return next(ctx, req)
		}
		options = append(options,
			trace.WithSpanKind(trace.SpanKindServer),
			trace.WithAttributes(
				attribute.String("atrium.operation", c.meta.ID),
				attribute.String("atrium.transport", c.transport),
				attribute.String("atrium.request_id", c.request.ID),
			),
		)
		ctx, span := s.tracer.Start(ctx, c.meta.ID, options...)
		defer span.End()
		out, err := next(ctx, req)
		if err != nil {
			kind := errs.KindOf(err)
			span.SetAttributes(attribute.String("error.type", string(kind)))
			if kind.OpensBreaker() {
				span.SetStatus(codes.Error, errs.From(err).Code)
			}
		}
		return out, err
	}
}

func (s *Server) observe(next endpoint.Endpoint) endpoint.Endpoint {
	return func(ctx context.Context, req any) (any, error) {
		c, start, l := req.(*call), time.Now(), &line{}
		out, err := next(context.WithValue(ctx, lineKey, l), req)
		took, outcome := time.Since(start), "ok"
		if err != nil {
			outcome = string(errs.KindOf(err))
		}
		s.duration.Record(ctx, took.Seconds(), metric.WithAttributes(
			attribute.String("operation", c.meta.ID), attribute.String("transport", c.transport), attribute.String("outcome", outcome)))
		s.logLine(ctx, c, l, outcome, took, err)
		return out, err
	}
}

// logLine writes the canonical line: the only one that a request makes when nothing is wrong with the service.
func (s *Server) logLine(ctx context.Context, c *call, l *line, outcome string, took time.Duration, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	attrs := append([]slog.Attr{
		slog.String("operation", c.meta.ID), slog.String("transport", c.transport), slog.String("outcome", outcome),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000), slog.String("request_id", c.request.ID),
	}, l.attrs...)
	if c.request.Via != "" {
		attrs = append(attrs, slog.String("via", c.request.Via))
	}
	if l.who != nil {
		attrs = append(attrs, slog.String("subject", l.who.Subject))
	}
	if c.status != nil {
		attrs = append(attrs, slog.Int("status", answered(c.status(), err)))
	}
	level := slog.LevelInfo
	if c.meta.Quiet {
		level = slog.LevelDebug
	}
	if err != nil {
		attrs = append(attrs, slog.String("code", errs.From(err).Code))
		if errs.KindOf(err).OpensBreaker() {
			level = slog.LevelError
			attrs = append(attrs, slog.String("error", err.Error()))
		}
	}
	s.logger.LogAttrs(ctx, level, "request", attrs...)
}

// answered is the status that the client sees: what was written, or what will be for err; a stream that took the connection over
// has written none of ours.
func answered(written int, err error) int {
	if written == 0 && err != nil {
		return errs.KindOf(err).Status()
	}
	return cmp.Or(written, http.StatusOK)
}

func (s *Server) recover(next endpoint.Endpoint) endpoint.Endpoint {
	return func(ctx context.Context, req any) (out any, err error) {
		defer func() {
			if p := recover(); p != nil {
				out, err = nil, errs.From(fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
			}
		}()
		return next(ctx, req)
	}
}

func (s *Server) deadline(next endpoint.Endpoint) endpoint.Endpoint {
	return func(ctx context.Context, req any) (any, error) {
		c := req.(*call)
		if c.meta.Stream {
			return next(ctx, req)
		}
		if c.limit() <= 0 {
			return nil, errs.New(errs.Timeout, "deadline_too_short", "The caller left no time to answer.")
		}
		ctx, cancel := context.WithDeadline(ctx, c.ends)
		defer cancel()
		return next(ctx, req)
	}
}

// unknownHop is said of a service whose token was not believed.
const unknownHop = "unknown"

// identify believes what a service says of the client's request. A token that is not believed ends the call, whatever it asks for: to go
// on as if there were none would count what all clients do against the address of one service.
func (s *Server) identify(next endpoint.Endpoint) endpoint.Endpoint {
	return func(ctx context.Context, req any) (any, error) {
		c := req.(*call)
		if c.hopErr != nil {
			return nil, c.hopErr
		}
		if c.hop != "" {
			ctx = authz.WithService(ctx, c.hop)
		}
		if c.believed != nil {
			c.believed()
		}
		return next(request.With(ctx, c.request), req)
	}
}

func (s *Server) authenticate(next endpoint.Endpoint) endpoint.Endpoint {
	return func(ctx context.Context, req any) (any, error) {
		c := req.(*call)
		if c.request.Token == "" {
			return next(ctx, req)
		}
		who, err := s.verify(ctx, string(c.request.Token))
		if err != nil {
			if c.meta.Allow.IsPublic() { // a stale token must not keep anybody from signing in again
				return next(ctx, req)
			}
			return nil, err
		}
		if l, ok := ctx.Value(lineKey).(*line); ok {
			l.who = who
		}
		return next(authz.WithPrincipal(ctx, who), req)
	}
}

func (s *Server) authorize(next endpoint.Endpoint) endpoint.Endpoint {
	return func(ctx context.Context, req any) (any, error) {
		c := req.(*call)
		if err := c.meta.Allow.Check(authz.CallerFrom(ctx), c.param); err != nil {
			return nil, err
		}
		return next(ctx, req)
	}
}

func newID() string {
	id, err := uuid.NewV7()
	if err != nil { // no randomness: the operating system is broken, and an id is not worth dying for
		return "unknown"
	}
	return id.String()
}
