package pipeline

import (
	"context"
	"net/http"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/atrium-mesh/atrium/pkg/telemetry"
)

// startSpan opens the gateway's span. A trusted proxy's trace goes on in it; see [telemetry.Caller].
func (p *Pipeline) startSpan(ctx context.Context, r *http.Request, x *Exchange) (context.Context, trace.Span) {
	// It would travel through the whole mesh, and nobody there asked a client for any.
	r.Header.Del("Baggage")
	ctx, options := telemetry.Caller(ctx, p.Propagator, propagation.HeaderCarrier(r.Header), p.TrustedProxies.Calls(r))
	p.dropTrace(r)
	options = append(options,
		trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(
			attribute.String("http.request.method", method(r)),
			attribute.String("atrium.request_id", x.RequestID),
		),
	)
	return p.tracer.Start(ctx, method(r), options...) //nolint:spancheck // observe ends it
}

// dropTrace removes what the client said of its trace. Services follow what they get, and the propagator does not overwrite a field for
// which it has no value.
func (p *Pipeline) dropTrace(r *http.Request) {
	for name := range r.Header {
		if slices.ContainsFunc(p.Propagator.Fields(), func(field string) bool { return http.CanonicalHeaderKey(field) == name }) {
			delete(r.Header, name)
		}
	}
}
