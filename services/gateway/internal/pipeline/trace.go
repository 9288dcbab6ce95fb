package pipeline

import (
	"context"
	"net/http"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// startSpan opens the gateway's span. A trusted proxy's trace goes on in it. A stranger's is linked to it and nothing more: followed, it
// would let anybody choose our trace ids, write into traces of others, and turn recording off for an attack or on for all of it.
func (p *Pipeline) startSpan(ctx context.Context, r *http.Request, x *Exchange) (context.Context, trace.Span) {
	options := []trace.SpanStartOption{
		trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(
			attribute.String("http.request.method", method(r)),
			attribute.String("atrium.request_id", x.RequestID),
		),
	}
	// It would travel through the whole mesh, and nobody there asked a client for any.
	r.Header.Del("Baggage")
	remote := trace.SpanContextFromContext(p.Propagator.Extract(ctx, propagation.HeaderCarrier(r.Header)))
	switch {
	case !remote.IsValid():
	case p.TrustedProxies.Calls(r):
		ctx = trace.ContextWithRemoteSpanContext(ctx, remote)
	default:
		options = append(options, trace.WithLinks(trace.Link{SpanContext: bare(remote)}))
	}
	p.dropTrace(r)
	return p.tracer.Start(ctx, method(r), options...) //nolint:spancheck // observe ends it
}

// bare is a trace's ids alone. The vendors' part (tracestate) may be 16 KiB, which a stranger would add to every span that we keep.
func bare(remote trace.SpanContext) trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID:    remote.TraceID(),
		SpanID:     remote.SpanID(),
		TraceFlags: remote.TraceFlags(),
		Remote:     true,
	})
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
