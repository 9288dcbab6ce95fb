package events

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/trace"

	"github.com/atrium-mesh/atrium/pkg/leader"
)

const (
	fetchBatch    = 64
	fetchWait     = time.Second     // also how soon a requested replay begins
	requestWithin = 2 * time.Second // a server that has just come back may not answer
)

// subscription is one consumer's part in one stream. Its methods run in the leader only.
type subscription struct {
	ConsumerConfig
	stream   string
	handlers map[string]Handler // by type
	tracer   trace.Tracer
	metrics  *consumerMetrics
	logger   *slog.Logger

	slow  slowness
	apart int // messages to handle each by itself, after a group of them took too long
}

// errGap means that a delivery did not arrive, which the server counts: what follows it must wait until it has been delivered again.
var errGap = errors.New("a delivery was lost")

// lead consumes for as long as the session lasts.
func (s *subscription) lead(ctx context.Context, session *leader.Session) error {
	var failures int
	var cleaned time.Time
	for ctx.Err() == nil {
		if time.Since(cleaned) > cleanEvery {
			if err := s.clean(ctx, session); err != nil {
				return err
			}
			cleaned = time.Now()
		}
		err := s.consume(ctx, session, &failures)
		if isSQL(err) {
			return err
		}
		if err == nil || ctx.Err() != nil {
			continue
		}
		failures++
		level := slog.LevelWarn
		if errors.Is(err, jetstream.ErrStreamNotFound) && failures < 5 {
			level = slog.LevelDebug // the producer is about to make it
		}
		s.logger.Log(ctx, level, "cannot consume events; trying again", "error", err, "failures", failures)
		pauseFor(ctx, backoff(failures, 50*time.Millisecond, 2*time.Second))
	}
	return ctx.Err()
}

// consume makes sure of the durable consumer and handles events until something is wrong, or for cleanEvery.
func (s *subscription) consume(ctx context.Context, session *leader.Session, failures *int) error {
	if err := s.replayDeadLetters(ctx, session); err != nil { // also while NATS is away
		return err
	}
	cons, delivered, err := s.ensureConsumer(ctx)
	if err != nil {
		return err
	}
	for begin := time.Now(); time.Since(begin) < cleanEvery && ctx.Err() == nil; {
		if err := s.replayDeadLetters(ctx, session); err != nil {
			return err
		}
		before := delivered
		if err := s.fetch(ctx, session, cons, &delivered); err != nil {
			return err
		}
		if delivered == before {
			if err := nothingLost(ctx, cons); err != nil {
				return err
			}
		}
		*failures = 0
	}
	return nil
}

// nothingLost is asked when nothing comes: the last deliveries before a connection broke can be lost without a later one that shows the
// gap, and so many of them that the server delivers no more. It would wait for AckWait.
func nothingLost(ctx context.Context, cons jetstream.Consumer) error {
	ctx, cancel := context.WithTimeout(ctx, requestWithin)
	defer cancel()
	info, err := cons.Info(ctx)
	if err != nil {
		return fmt.Errorf("look at the consumer: %w", err)
	}
	if info.NumAckPending > 0 {
		return errGap
	}
	return nil
}

// fetch handles what there is, in order, and what comes within fetchWait.
func (s *subscription) fetch(ctx context.Context, session *leader.Session, cons jetstream.Consumer, delivered *uint64) error {
	ctxFetch, cancel := context.WithTimeout(ctx, fetchWait)
	defer cancel()
	batch, err := cons.Fetch(fetchBatch, jetstream.FetchContext(ctxFetch))
	if err != nil {
		return fmt.Errorf("fetch events: %w", err)
	}
	for {
		group, err := arrived(batch.Messages(), delivered)
		s.metrics.behind(ctx, s.stream, group)
		if errHandling := s.handleGroup(ctx, session, group); errHandling != nil {
			return errHandling
		}
		if err != nil {
			return err
		}
		if len(group) == 0 {
			break
		}
	}
	if err := batch.Error(); err != nil && !errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return fmt.Errorf("fetch events: %w", err)
	}
	return nil
}

// arrived waits for the next message and takes with it what is there already. It is empty at the end of the batch. At a gap it
// returns what came before.
func arrived(messages <-chan jetstream.Msg, delivered *uint64) (group []jetstream.Msg, err error) {
	next := func() (msg jetstream.Msg, ok bool) {
		if len(group) == 0 {
			msg, ok = <-messages
			return msg, ok
		}
		select {
		case msg, ok = <-messages:
		default:
		}
		return msg, ok
	}
	for msg, ok := next(); ok; msg, ok = next() {
		meta, err := msg.Metadata()
		if err != nil {
			return group, fmt.Errorf("read a delivery: %w", err)
		}
		if meta.Sequence.Consumer != *delivered+1 {
			return group, errGap
		}
		*delivered = meta.Sequence.Consumer
		group = append(group, msg)
	}
	return group, nil
}

// ensureConsumer makes the durable consumer or brings it up to date. What a former leader has not acknowledged is delivered again at
// once and first; the server alone would deliver it later, after events that follow it. It also returns the number of the last
// delivery so far.
func (s *subscription) ensureConsumer(ctx context.Context) (jetstream.Consumer, uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, requestWithin)
	defer cancel()
	cons, err := s.JS.CreateOrUpdateConsumer(ctx, s.stream, s.consumerConfig())
	if err != nil {
		return nil, 0, fmt.Errorf("make the consumer: %w", err)
	}
	info := cons.CachedInfo()
	if info.NumAckPending == 0 {
		return cons, info.Delivered.Consumer, nil
	}
	reset, err := s.JS.ResetConsumer(ctx, s.stream, s.Name)
	if err != nil {
		return nil, 0, fmt.Errorf("reset the consumer: %w", err)
	}
	return cons, reset.Delivered.Consumer, nil
}

func (s *subscription) consumerConfig() jetstream.ConsumerConfig {
	var subjects []string
	for _, typeName := range slices.Sorted(maps.Keys(s.handlers)) {
		subjects = append(subjects, SubjectOf(typeName))
	}
	return jetstream.ConsumerConfig{
		Durable: s.Name, FilterSubjects: subjects, AckPolicy: jetstream.AckExplicitPolicy, DeliverPolicy: jetstream.DeliverAllPolicy,
		AckWait: 2*s.Timeout + longestRetry, MaxDeliver: -1, MaxAckPending: 2 * fetchBatch,
	}
}
