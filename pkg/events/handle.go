package events

import (
	"context"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/leader"
	"github.com/atrium-mesh/atrium/pkg/pg"
)

const (
	internalAttempts = 5 // of an event that fails with Internal, before it is a dead letter
	firstRetry       = 100 * time.Millisecond
	longestRetry     = 15 * time.Second
)

// handleMessage ends with the message's effect, or its dead letter, committed, and acknowledges it. It returns an error only when
// that could not be: then the message is delivered again.
func (s *subscription) handleMessage(ctx context.Context, session *leader.Session, msg jetstream.Msg) error {
	e, failure := parseMessage(msg.Headers(), msg.Data())
	if failure != nil {
		e = s.unreadable(e, msg)
		failure = errs.New(errs.Malformed, "event_unreadable", "The event's headers cannot be read.").WithCause(failure)
	}
	if failure == nil && s.slow.hopeless(e.ID) {
		failure = errTooSlow()
	}
	for attempt := 1; ; attempt++ {
		if attempt > 1 {
			_ = msg.InProgress() // if it does not arrive, the event comes again and is known
		}
		outcome, err := s.settle(ctx, session, e, failure, attempt)
		s.metrics.count(ctx, e, outcome)
		s.slow.note(e.ID, err)
		switch {
		case err == nil:
			_ = msg.Ack() // the same
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case isSQL(err):
			return err
		case failure == nil && (giveUp(err, attempt) || s.slow.hopeless(e.ID)):
			failure = err
			continue // settles with a dead letter
		}
		s.logger.WarnContext(ctx, "an event could not be handled; trying again", "event", e.ID, "type", e.Type, "attempt", attempt, "error", err)
		pauseFor(ctx, backoff(attempt, firstRetry, longestRetry))
	}
}

// giveUp reports whether an event becomes a dead letter: what is away comes back, and a fault of ours gets a few chances. So does what
// takes too long, which slowness counts.
func giveUp(err error, attempt int) bool {
	kind := errs.KindOf(err)
	if kind == errs.Internal {
		return attempt >= internalAttempts
	}
	return !kind.Retryable()
}

// settle does what there is to do about an event, in one transaction: its effect, or with a failure its dead letter.
func (s *subscription) settle(ctx context.Context, session *leader.Session, e envelope, failure error, attempt int) (outcome string, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	ctx, span := s.startSpan(ctx, e, attempt)
	defer func() {
		span.SetAttributes(attribute.String("atrium.event.outcome", outcome))
		if failure != nil {
			span.RecordError(failure)
		}
		endSpan(span, err)
	}()
	outcome = outcomeDone
	if failure != nil {
		outcome = outcomeDeadLetter
	}
	err = session.Do(ctx, func(conn *pgx.Conn) error {
		err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			fresh, err := s.markHandled(ctx, tx, e)
			if err != nil {
				return err
			}
			if !fresh {
				outcome = outcomeKnown
				return nil
			}
			if failure != nil {
				return s.bury(ctx, tx, e, failure, attempt)
			}
			return s.call(ctx, tx, e)
		})
		if err != nil && conn.IsClosed() {
			return sqlError{err}
		}
		return err
	})
	if err != nil {
		outcome = outcomeRetry
		return outcome, pg.Err(err)
	}
	if failure != nil && outcome == outcomeDeadLetter {
		s.logger.ErrorContext(ctx, "an event could not be handled; it is a dead letter now", "event", e.ID, "type", e.Type, "attempt", attempt, "error", failure)
	}
	return outcome, nil
}

// call runs the handler. Its panic is an Internal error, so that one event cannot take the process down again and again.
func (s *subscription) call(ctx context.Context, tx pgx.Tx, e envelope) (err error) {
	h, ok := s.handlers[e.Type] // of this stream's service: nobody else's types are here
	if ok && e.Source != sourcePrefix+prefixOf(e.Type) {
		return errs.New(errs.Forbidden, "event_foreign", "The event does not say to be of the service that told it.")
	}
	if !ok {
		return errs.New(errs.NotFound, "event_unhandled", "Nothing handles this type of event.")
	}
	defer func() {
		if p := recover(); p != nil {
			err = errs.New(errs.Internal, "internal", "Something went wrong on our side.").WithCause(fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	return h.handle(WithActor(ctx, e.OrgID, e.Actor), tx, e)
}

// startSpan continues the trace of the producer, so that one trace leads from the request to its last effect.
func (s *subscription) startSpan(ctx context.Context, e envelope, attempt int) (context.Context, trace.Span) {
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier(e.Trace))
	return s.tracer.Start(ctx, "process "+e.Type, //nolint:spancheck // the caller ends it
		trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
			attribute.String("messaging.system", "nats"), attribute.String("messaging.operation.type", "process"),
			attribute.String("messaging.destination.name", SubjectOf(e.Type)), attribute.String("messaging.consumer.group.name", s.Name),
			attribute.String("messaging.message.id", e.ID.String()), attribute.Int("atrium.event.attempt", attempt),
		))
}

// unreadable gives a message that is no event of ours what a dead letter needs, the same at every delivery.
func (s *subscription) unreadable(e envelope, msg jetstream.Msg) envelope {
	meta, err := msg.Metadata()
	if err != nil {
		meta = &jetstream.MsgMetadata{} // cannot be: arrived has read it
	}
	if e.ID == uuid.Nil {
		e.ID = uuid.NewSHA1(uuid.NameSpaceURL, []byte(s.stream+"/"+strconv.FormatUint(meta.Sequence.Stream, 10)))
	}
	if e.Type == "" {
		e.Type = strings.TrimPrefix(msg.Subject(), subjectPrefix)
	}
	if e.Time.IsZero() {
		e.Time = meta.Timestamp
	}
	return e
}
