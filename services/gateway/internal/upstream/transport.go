package upstream

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/sony/gobreaker/v2"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/atrium-mesh/atrium/services/gateway/internal/pipeline"
)

const (
	openFor    = 2 * time.Second        // how long an open breaker refuses before it lets one request try
	openAfter  = 10                     // failures in a row that open it
	tries      = 4                      // attempts at most
	retryPause = 50 * time.Millisecond  // before the second attempt; doubled for each further one
	retryCap   = 200 * time.Millisecond // longest pause
)

func newBreaker(name string, logger *slog.Logger) *gobreaker.TwoStepCircuitBreaker[any] {
	return gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
		Name: name, Timeout: openFor, MaxRequests: 1,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= openAfter },
		OnStateChange: func(name string, from, to gobreaker.State) {
			logger.Warn("breaker", "service", name, "from", from.String(), "to", to.String()) //nolint:sloglint // no request is the cause
		},
	})
}

// transport sends one request: a client span, the breaker's leave, and again when that is safe.
type transport struct {
	base       http.RoundTripper
	proxy      *Proxy
	tracer     trace.Tracer
	propagator propagation.TextMapPropagator
}

// RoundTrip is http.RoundTripper's.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	x := pipeline.ExchangeFrom(r.Context())
	service := t.proxy.services[x.Route.Service]
	ctx, span := t.tracer.Start(r.Context(), "→ "+x.Route.Service, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("peer.service", x.Route.Service), attribute.String("atrium.operation", x.Route.ID)))
	defer span.End()
	r = r.Clone(ctx)
	t.propagator.Inject(ctx, propagation.HeaderCarrier(r.Header))

	resp, err := t.withRetries(r, service, x.Route.ReadOnly && !x.Route.Stream)
	if err != nil {
		span.SetStatus(codes.Error, "upstream failed")
		return nil, err
	}
	span.SetAttributes(attribute.Int("http.response.status_code", resp.StatusCode))
	return resp, nil
}

// withRetries tries again what is safe to send twice: a read that failed, and anything that never reached the service.
func (t *transport) withRetries(r *http.Request, s *service, readOnly bool) (*http.Response, error) {
	pause := retryPause
	for attempt := 1; ; attempt++ {
		resp, err := t.once(r, s)
		again := attempt < tries && (neverSent(err) || readOnly && (err != nil || overloaded(resp)))
		if !again || r.Context().Err() != nil {
			return resp, err
		}
		if resp != nil {
			_ = resp.Body.Close() // its answer is of no more use
		}
		if !wait(r, pause/2+rand.N(pause)) { //nolint:gosec // jitter needs no secret randomness
			return nil, r.Context().Err()
		}
		pause = min(2*pause, retryCap)
		if r.GetBody != nil {
			body, err := r.GetBody()
			if err != nil {
				return nil, err
			}
			r.Body = body
		}
	}
}

func (t *transport) once(r *http.Request, s *service) (*http.Response, error) {
	done, err := s.breaker.Allow()
	if err != nil {
		return nil, unavailable(err)
	}
	resp, err := t.base.RoundTrip(r)
	switch {
	case err == nil && resp.StatusCode < http.StatusInternalServerError:
		done(nil)
	case err == nil:
		done(errUpstream)
	case r.Context().Err() != nil && !isTimeout(err):
		done(nil) // the client left: no fault of the service
	default:
		done(err)
	}
	return resp, err
}

var errUpstream = errors.New("the service answered with a server error")

// neverSent reports that no connection could be made, so that the service cannot have done anything.
func neverSent(err error) bool {
	e, ok := errors.AsType[*net.OpError](err)
	return ok && e.Op == "dial"
}

// overloaded reports an answer that says: later. A service that is stopping gives it.
func overloaded(resp *http.Response) bool {
	return resp != nil && resp.StatusCode == http.StatusServiceUnavailable
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

func wait(r *http.Request, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}
