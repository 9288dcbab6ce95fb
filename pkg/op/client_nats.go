package op

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-kit/kit/endpoint"
	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/natsconn"
	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/pkg/strictjson"
)

// NATSCaller calls other services over NATS. Share one for each service: it holds their circuit breakers.
type NATSCaller struct {
	conn       *nats.Conn
	tracer     trace.Tracer
	propagator propagation.TextMapPropagator
	identity   Identity
	breakers   breakers
}

// NewNATSCaller makes a caller over a connection that it does not own. The identity is the service's that calls; nil: calls do not say
// who makes them.
func NewNATSCaller(
	conn *nats.Conn, tracer trace.TracerProvider, propagator propagation.TextMapPropagator, identity Identity,
) *NATSCaller {
	return &NATSCaller{conn: conn, tracer: tracer.Tracer("atrium/op"), propagator: propagator, identity: identity}
}

// NATSClient is the typed client of an operation that has a subject. It forwards the caller's token, request id and trace, and what
// is left of his deadline. Its errors have the kind that the service gave them; a service that is away is [errs.Unavailable].
func NATSClient[I, O any](c *NATSCaller, o Op[I, O]) func(context.Context, *I) (*O, error) {
	if o.Subject == "" {
		panic("op: " + o.OperationID + " is not on NATS")
	}
	call := endpoint.Chain(withDeadline(o.Meta().Timeout), identified(c.identity, serviceOf(o.Subject)), c.breakers.breaker(serviceOf(o.Subject)), c.span(o.Meta()))(
		natsEndpoint[I, O](c, o.Subject))
	return func(ctx context.Context, in *I) (*O, error) {
		out, err := call(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("call %s: %w", o.OperationID, err)
		}
		return out.(*O), nil
	}
}

// serviceOf is the second word of a subject: rpc.users.get-user is of users.
func serviceOf(subject string) string {
	words := strings.SplitN(subject, ".", 3)
	return words[min(1, len(words)-1)]
}

func (c *NATSCaller) span(m Meta) endpoint.Middleware {
	return func(next endpoint.Endpoint) endpoint.Endpoint {
		if m.Quiet {
			return next
		}
		return func(ctx context.Context, req any) (any, error) {
			ctx, span := c.tracer.Start(ctx, m.ID, trace.WithSpanKind(trace.SpanKindClient),
				trace.WithAttributes(attribute.String("atrium.transport", "nats")))
			defer span.End()
			out, err := next(ctx, req)
			if err != nil && errs.KindOf(err).OpensBreaker() {
				span.SetStatus(codes.Error, errs.From(err).Code)
			}
			return out, err
		}
	}
}

// natsEndpoint is a request/reply call as a go-kit endpoint. go-kit's own Publisher drops the header, which carries everything but
// the body here.
func natsEndpoint[I, O any](c *NATSCaller, subject string) endpoint.Endpoint {
	return func(ctx context.Context, req any) (any, error) {
		if !c.conn.IsConnected() { // nats.go would buffer the request until the deadline
			return nil, away(nats.ErrDisconnected)
		}
		body, err := strictjson.Marshal(req.(*I))
		if err != nil {
			return nil, fmt.Errorf("encode: %w", err)
		}
		msg := nats.NewMsg(subject)
		msg.Data = body
		c.fillHeader(ctx, msg.Header)
		reply, err := c.conn.RequestMsgWithContext(ctx, msg)
		switch {
		case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
			return nil, errs.From(err)
		case err != nil:
			return nil, away(err)
		}
		if e := reply.Header.Get(headerError); e != "" {
			return nil, errs.Decode(e)
		}
		out := new(O)
		if err := strictjson.Unmarshal(reply.Data, out); err != nil {
			return nil, fmt.Errorf("decode: %w", err)
		}
		return out, nil
	}
}

func (c *NATSCaller) fillHeader(ctx context.Context, h nats.Header) {
	r := request.From(ctx)
	for name, value := range map[string]string{HeaderRequestID: r.ID, HeaderClientIP: r.ClientIP, headerAgent: r.UserAgent} {
		if value != "" {
			h.Set(name, value)
		}
	}
	if service, ok := ctx.Value(serviceTokenKey).(string); ok {
		h.Set(HeaderService, service)
	}
	if r.Token != "" {
		h.Set(headerAuth, "Bearer "+string(r.Token))
	}
	h.Set(headerBudget, strconv.FormatInt(remaining(ctx), 10))
	c.propagator.Inject(ctx, natsconn.HeaderCarrier(h))
}

func away(err error) error {
	return errs.New(errs.Unavailable, "upstream_unavailable", "A part of the service is away for a moment; try again.").
		WithRetryAfter(openFor).WithCause(err)
}
