package jobs

import (
	"context"
	"encoding/json"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// traceKey is where the trace context stands in a job's metadata.
const traceKey = "atrium_trace"

// tracing keeps the trace of whoever inserts a job, and goes on with it in the worker, however much later that is.
type tracing struct {
	river.MiddlewareDefaults
	tracer trace.Tracer
}

var format = propagation.TraceContext{} // stateless

// InsertMany is rivertype.JobInsertMiddleware's.
func (t *tracing) InsertMany(ctx context.Context, many []*rivertype.JobInsertParams,
	next func(context.Context) ([]*rivertype.JobInsertResult, error),
) ([]*rivertype.JobInsertResult, error) {
	carrier := propagation.MapCarrier{}
	format.Inject(ctx, carrier)
	if len(carrier) > 0 {
		for _, p := range many {
			p.Metadata = withTrace(p.Metadata, carrier)
		}
	}
	return next(ctx)
}

// withTrace adds the trace to metadata, which is a JSON object or empty. Metadata of any other form is left as it is.
func withTrace(metadata []byte, carrier propagation.MapCarrier) []byte {
	all := map[string]any{}
	if len(metadata) > 0 && json.Unmarshal(metadata, &all) != nil {
		return metadata
	}
	all[traceKey] = carrier
	out, err := json.Marshal(all)
	if err != nil {
		return metadata
	}
	return out
}

// Work is rivertype.WorkerMiddleware's.
func (t *tracing) Work(ctx context.Context, job *rivertype.JobRow, next func(context.Context) error) error {
	var metadata struct {
		Trace propagation.MapCarrier `json:"atrium_trace"`
	}
	if json.Unmarshal(job.Metadata, &metadata) == nil && metadata.Trace != nil {
		ctx = format.Extract(ctx, metadata.Trace)
	}
	ctx, span := t.tracer.Start(ctx, "job "+job.Kind, trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
		attribute.String("atrium.job.kind", job.Kind), attribute.Int64("atrium.job.id", job.ID), attribute.Int("atrium.job.attempt", job.Attempt)))
	defer span.End()
	err := next(ctx)
	if err != nil {
		span.SetStatus(codes.Error, "job failed")
	}
	return err
}
