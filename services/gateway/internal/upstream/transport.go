package upstream

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/services/gateway/internal/pipeline"
	"github.com/atrium-mesh/atrium/services/gateway/internal/routes"
)

const (
	dialTimeout = time.Second      // a service is in the same network
	handshake   = 10 * time.Second // how long a stream may take to begin
	idleTimeout = 5 * time.Second  // shorter than the DRAIN_DELAY of the services, so that it is not they who close

	headerBudget = "Atrium-Budget-Ms" // how long the service may take
	margin       = 100 * time.Millisecond
)

// transport sends one request: a client span, who asks, the breaker's leave, and again when that is safe.
type transport struct {
	identity   op.Identity
	requests   *http.Transport
	streams    *http.Transport
	breakers   map[string]*breaker // by operation
	retries    metric.Int64Counter
	tracer     trace.Tracer
	propagator propagation.TextMapPropagator
}

func newTransport(c Config) (*transport, error) {
	retries, err := c.Meter.Meter("atrium/gateway").Int64Counter("atrium.gateway.retries",
		metric.WithUnit("{attempt}"), metric.WithDescription("Attempts after the first one to reach a service, by service."))
	if err != nil {
		return nil, fmt.Errorf("make the metrics: %w", err)
	}
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}
	t := &transport{
		requests: &http.Transport{
			DialContext:  dialer.DialContext,
			MaxIdleConns: 1024, MaxIdleConnsPerHost: 256, IdleConnTimeout: idleTimeout,
			DialTLSContext:         c.Roots.DialTLS(dialer, 2*dialTimeout), // HTTP/1.1 alone
			MaxResponseHeaderBytes: 128 << 10,
			DisableCompression:     true, // what the service sends is passed on as it is
		},
		identity: c.Identity,
		breakers: map[string]*breaker{}, retries: retries, tracer: c.Tracer.Tracer("atrium/gateway"), propagator: c.Propagator,
	}
	t.streams = t.requests.Clone()
	t.streams.ResponseHeaderTimeout = handshake
	for _, r := range c.Routes {
		t.breakers[r.ID] = newBreaker(r.ID, c.Logger)
	}
	return t, nil
}

// RoundTrip is http.RoundTripper's.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	route := pipeline.ExchangeFrom(r.Context()).Route
	ctx, span := t.tracer.Start(r.Context(), route.ID, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("peer.service", route.Service), attribute.String("atrium.operation", route.ID),
		attribute.String("atrium.transport", "http")))
	defer span.End()
	r = r.WithContext(ctx) // the reverse proxy made this request, so that its fields may be changed
	t.propagator.Inject(ctx, propagation.HeaderCarrier(r.Header))
	resp, err := t.withRetries(r, span)
	if err != nil {
		span.SetStatus(codes.Error, "no answer")
		return nil, err
	}
	span.SetAttributes(attribute.Int("http.response.status_code", resp.StatusCode))
	if resp.StatusCode >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, http.StatusText(resp.StatusCode))
	}
	return resp, nil
}

// once makes one attempt, when the breaker lets it, and says to the service that it is the gateway who asks: by that alone the service
// believes whose request it is. Without it nothing is asked, since all clients would count as one that has the gateway's address.
func (t *transport) once(r *http.Request) (*http.Response, error) {
	route := pipeline.ExchangeFrom(r.Context()).Route
	own, err := t.identity.Token(r.Context(), route.Service)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says itself what is wrong
	}
	r.Header.Set(op.HeaderService, own)
	resp, err := t.attempt(r, route)
	if err == nil && notBelieved(resp) {
		t.identity.Refused(route.Service, own)
	}
	return resp, err
}

// notBelieved reports an answer to a token that was not believed, as after a key was withdrawn: nothing was done.
func notBelieved(resp *http.Response) bool {
	return busy(resp) && resp.Header.Get(op.HeaderServiceRefused) != ""
}

func (t *transport) attempt(r *http.Request, route *routes.Route) (*http.Response, error) {
	done, err := t.breakers[route.ID].Allow()
	if err != nil {
		return nil, unavailable(err)
	}
	base := t.requests
	if route.Stream {
		base = t.streams
	}
	if deadline, ok := r.Context().Deadline(); ok {
		r.Header.Set(headerBudget, strconv.FormatInt(max(1, (time.Until(deadline)-margin).Milliseconds()), 10))
	}
	resp, err := base.RoundTrip(r)
	done(failure(r, resp, err))
	if err != nil && !neverSent(err) {
		err = errors.Join(errBroken, err)
	}
	return resp, err
}

// neverSent reports that no connection could be made, or no TLS handshake, so that the service cannot have done anything.
func neverSent(err error) bool {
	e, ok := errors.AsType[*net.OpError](err)
	return ok && e.Op == "dial"
}

func (t *transport) close() {
	t.requests.CloseIdleConnections()
	t.streams.CloseIdleConnections()
}
