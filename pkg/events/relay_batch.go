package events

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/atrium-mesh/atrium/pkg/leader"
)

const (
	relayBatch = 256
	pollEvery  = 500 * time.Millisecond // a NOTIFY usually comes first
	markWithin = 2 * time.Second
)

// sqlError is a failure of the leader's session, which ends its leadership.
type sqlError struct{ error }

func (e sqlError) Unwrap() error { return e.error }

func isSQL(err error) bool {
	_, ok := errors.AsType[sqlError](err)
	return ok
}

func listen(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "LISTEN "+notifyChannel)
	return err
}

// awaitNotification waits for a commit that has published something, at most pollEvery.
func awaitNotification(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, pollEvery)
	defer cancel()
	_, err := conn.WaitForNotification(ctx)
	if ctx.Err() != nil {
		return nil //nolint:nilerr // the end of the wait
	}
	return err
}

type outboxRow struct {
	seq int64
	envelope
}

// relayBatch publishes the oldest unpublished events and marks those that JetStream has acknowledged. It returns how many those are,
// with an error when they are fewer than there were.
func (r *Relay) relayBatch(ctx context.Context, s *leader.Session) (int, error) {
	var rows []outboxRow
	err := s.Do(ctx, func(conn *pgx.Conn) (err error) {
		rows, err = unpublished(ctx, conn)
		return err
	})
	if err != nil {
		return 0, sqlError{err}
	}
	if len(rows) == 0 {
		return 0, nil
	}
	acked, last, failure := r.publish(ctx, rows)
	if acked > 0 {
		if err := r.mark(ctx, s, rows[:acked], last); err != nil {
			return 0, err
		}
	}
	return acked, failure
}

func unpublished(ctx context.Context, conn *pgx.Conn) ([]outboxRow, error) {
	rows, err := conn.Query(ctx, `
SELECT seq, id, type, source, subject, org_id, actor, time, trace, data FROM outbox
WHERE published_at IS NULL ORDER BY seq LIMIT $1`, relayBatch)
	if err != nil {
		return nil, fmt.Errorf("read the outbox: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (o outboxRow, err error) {
		err = row.Scan(&o.seq, &o.ID, &o.Type, &o.Source, &o.Subject, &o.OrgID, &o.Actor, &o.Time, &o.Trace, &o.Data)
		return o, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the outbox: %w", err)
	}
	return out, nil
}

// publish sends the rows without waiting for each, and returns how many from the first on were acknowledged, and the last one's
// sequence in the stream. Each message but the first names the one before it, and JetStream refuses it when that is not the last
// it has: so a message that was lost on the way cannot be overtaken by those behind it.
func (r *Relay) publish(ctx context.Context, rows []outboxRow) (acked int, last uint64, failure error) {
	sent := make([]sending, 0, len(rows))
	for i, row := range rows {
		opts := []jetstream.PublishOpt{jetstream.WithRetryAttempts(0)}
		if i > 0 {
			opts = append(opts, jetstream.WithExpectLastMsgID(rows[i-1].ID.String()))
		}
		out, err := r.send(ctx, row.envelope, opts)
		if err != nil {
			failure = err
			break
		}
		sent = append(sent, out)
	}
	for i, out := range sent {
		seq, err := out.wait(ctx)
		switch {
		case err == nil && acked == i:
			acked, last = i+1, max(last, seq)
			r.metrics.published(ctx, rows[i].Type)
		case err != nil && acked == i: // the first failure is the reason of those that follow
			failure = err
		}
	}
	return acked, last, failure
}

// sending is a message on its way.
type sending struct {
	ack  jetstream.PubAckFuture
	span trace.Span
}

func (r *Relay) send(ctx context.Context, e envelope, opts []jetstream.PublishOpt) (sending, error) {
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier(e.Trace))
	ctx, span := r.tracer.Start(ctx, "publish "+e.Type, //nolint:spancheck // endSpan ends it, here or in wait
		trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(
			attribute.String("messaging.system", "nats"), attribute.String("messaging.operation.type", "send"),
			attribute.String("messaging.destination.name", SubjectOf(e.Type)), attribute.String("messaging.message.id", e.ID.String()),
		))
	e.Trace = map[string]string{}
	propagation.TraceContext{}.Inject(ctx, propagation.MapCarrier(e.Trace))
	ack, err := r.js.PublishMsgAsync(e.message(), opts...)
	if err != nil {
		endSpan(span, err)
		return sending{}, fmt.Errorf("publish event %s: %w", e.ID, err) //nolint:spancheck // ended above
	}
	return sending{ack: ack, span: span}, nil
}

func (s sending) wait(ctx context.Context) (seq uint64, err error) {
	defer func() { endSpan(s.span, err) }()
	select {
	case ack := <-s.ack.Ok():
		return ack.Sequence, nil
	case err := <-s.ack.Err():
		return 0, fmt.Errorf("event was not acknowledged: %w", err)
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// mark records what was acknowledged, also when the relay has been told to stop meanwhile.
func (r *Relay) mark(ctx context.Context, s *leader.Session, rows []outboxRow, last uint64) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), markWithin)
	defer cancel()
	seqs := make([]int64, len(rows))
	for i, row := range rows {
		seqs[i] = row.seq
	}
	err := s.Do(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `
WITH known AS (UPDATE outbox_streams SET last_seq = greatest(last_seq, $3) WHERE stream = $2)
UPDATE outbox SET published_at = now() WHERE seq = ANY($1)`, seqs, r.cfg.Stream, int64(last)) //nolint:gosec // a sequence
		return err
	})
	if err != nil {
		return sqlError{fmt.Errorf("mark events as published: %w", err)}
	}
	return nil
}

func endSpan(span trace.Span, err error) {
	if err != nil {
		span.RecordError(err)
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
