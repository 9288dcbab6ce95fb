package events

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// tail is the last message of the stream, as far as the relay knows it.
type tail struct {
	known bool
	seq   uint64
}

// publish sends the rows, and returns how many from the first on were acknowledged, and the highest of their sequences in the stream.
// While the end of the stream is not known, which is until it takes a message that it did not have, each waits for the one before it.
func (r *Relay) publish(ctx context.Context, rows []outboxRow, end *tail) (acked int, last uint64, failure error) {
	for ; acked < len(rows) && !end.known; acked++ {
		out, err := r.send(ctx, rows[acked].envelope)
		if err != nil {
			return acked, last, err
		}
		ack, err := out.wait(ctx)
		if err != nil {
			return acked, last, err
		}
		r.metrics.published(ctx, rows[acked].Type)
		last, *end = max(last, ack.Sequence), tail{known: !ack.Duplicate, seq: ack.Sequence}
	}
	if acked == len(rows) {
		return acked, last, nil
	}
	more, highest, failure := r.publishChain(ctx, rows[acked:], end)
	return acked + more, max(last, highest), failure
}

// publishChain is publish from the known end of the stream on, without waiting for each. Each message names the sequence that the one
// before it will have, and JetStream refuses it when that is not its last: so a message that was lost on the way cannot be overtaken by
// those behind it.
//
// To name the id of the one before would be simpler, but where a stream has replicas, each of them compares that by itself, some
// time after the leader has noted the message as a duplicate of itself: what was refused once is refused for two minutes, and a
// replica that has just caught up refuses what the others have taken. The sequence is compared by the leader, before anything else.
func (r *Relay) publishChain(ctx context.Context, rows []outboxRow, end *tail) (acked int, last uint64, failure error) {
	sent := make([]sending, 0, len(rows))
	for i, row := range rows {
		out, err := r.send(ctx, row.envelope, jetstream.WithExpectLastSequence(end.seq+uint64(i)))
		if err != nil {
			failure = err
			break
		}
		sent = append(sent, out)
	}
	repeated := false
	for i, out := range sent {
		ack, err := out.wait(ctx)
		switch {
		case err == nil && acked == i:
			acked, last, repeated = i+1, max(last, ack.Sequence), repeated || ack.Duplicate
			r.metrics.published(ctx, rows[i].Type)
		case err != nil && acked == i: // the first failure is the reason of those that follow
			failure = err
		}
	}
	*end = tail{known: failure == nil && !repeated, seq: last}
	return acked, last, failure
}

// notLast reports that a message was refused because the stream does not end where it should.
func notLast(err error) bool {
	e, ok := errors.AsType[*jetstream.APIError](err)
	return ok && (e.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || e.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

// sending is a message on its way.
type sending struct {
	ack  jetstream.PubAckFuture
	span trace.Span
}

func (r *Relay) send(ctx context.Context, e envelope, opts ...jetstream.PublishOpt) (sending, error) {
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier(e.Trace))
	ctx, span := r.tracer.Start(ctx, "publish "+e.Type, //nolint:spancheck // endSpan ends it, here or in wait
		trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(
			attribute.String("messaging.system", "nats"), attribute.String("messaging.operation.type", "send"),
			attribute.String("messaging.destination.name", SubjectOf(e.Type)), attribute.String("messaging.message.id", e.ID.String()),
		))
	e.Trace = map[string]string{}
	propagation.TraceContext{}.Inject(ctx, propagation.MapCarrier(e.Trace))
	ack, err := r.js.PublishMsgAsync(e.message(), append(opts, jetstream.WithRetryAttempts(0))...)
	if err != nil {
		endSpan(span, err)
		return sending{}, fmt.Errorf("publish event %s: %w", e.ID, err) //nolint:spancheck // ended above
	}
	return sending{ack: ack, span: span}, nil
}

func (s sending) wait(ctx context.Context) (ack *jetstream.PubAck, err error) {
	defer func() { endSpan(s.span, err) }()
	select {
	case ack := <-s.ack.Ok():
		return ack, nil
	case err := <-s.ack.Err():
		return nil, fmt.Errorf("event was not acknowledged: %w", err)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func endSpan(span trace.Span, err error) {
	if err != nil {
		span.RecordError(err)
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
