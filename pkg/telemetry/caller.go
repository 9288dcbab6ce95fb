package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Caller is ctx for the work that a message asks for, with the options of its first span. A believed caller's trace goes on in it, and the
// baggage with it. A stranger's is linked to the span and nothing more: followed, it would let anybody choose our trace ids, write into
// traces of others, and turn recording off for an attack or on for all of it.
func Caller(
	ctx context.Context, p propagation.TextMapPropagator, message propagation.TextMapCarrier, believed bool,
) (context.Context, []trace.SpanStartOption) {
	if believed {
		return p.Extract(ctx, message), nil
	}
	// Nothing else is looked at: what cannot be read of baggage, OpenTelemetry writes into the log.
	remote := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(ctx, message))
	if !remote.IsRemote() { // it says nothing, and what ctx has is our own
		return ctx, nil
	}
	return ctx, []trace.SpanStartOption{trace.WithLinks(trace.Link{SpanContext: bare(remote)})}
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
