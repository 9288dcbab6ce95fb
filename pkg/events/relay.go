package events

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/atrium-mesh/atrium/pkg/leader"
	"github.com/atrium-mesh/atrium/pkg/natsconn"
)

// RelayConfig is what a relay needs. Pool, JS, Stream and Prefix are required.
type RelayConfig struct {
	Pool   *pgxpool.Pool
	JS     jetstream.JetStream
	Stream string // USERS
	Prefix string // users: the stream takes events.users.>

	Replicas  int           // of the stream; default 1
	MaxAge    time.Duration // of a message in the stream; default 7 days
	MaxBytes  int64         // of the stream; default 1 GiB, the oldest messages go first
	Retention time.Duration // of published rows in the outbox; default 7 days

	Tracer trace.TracerProvider // nil: no spans
	Meter  metric.MeterProvider // nil: no metrics
	Logger *slog.Logger         // nil: silent
}

// Relay publishes the outbox to JetStream in order. It is a lifecycle component; of all replicas one relays at a time.
type Relay struct {
	cfg     RelayConfig
	js      jetstream.JetStream // of its own: what it publishes and does not see acknowledged in time has failed
	tracer  trace.Tracer
	metrics *relayMetrics
	logger  *slog.Logger

	cancel context.CancelFunc
	wg     sync.WaitGroup
}

const (
	ackWithin        = 5 * time.Second
	defaultRetention = 7 * 24 * time.Hour
)

// NewRelay makes a relay that does nothing before Start.
func NewRelay(cfg RelayConfig) *Relay {
	cfg.Retention = cmp.Or(cfg.Retention, defaultRetention)
	logger := loggerOr(cfg.Logger).With("stream", cfg.Stream)
	return &Relay{cfg: cfg, tracer: tracerOf(cfg.Tracer), logger: logger, metrics: newRelayMetrics(cfg.Meter, cfg.Stream)}
}

// Start begins to relay and returns at once; neither NATS nor PostgreSQL needs to be there.
func (r *Relay) Start(ctx context.Context) error {
	js, err := jetstream.New(r.cfg.JS.Conn(), jetstream.WithPublishAsyncTimeout(ackWithin), jetstream.WithPublishAsyncMaxPending(2*relayBatch))
	if err != nil {
		return fmt.Errorf("open JetStream: %w", err)
	}
	r.js = js
	ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	r.wg.Go(func() {
		leader.Run(ctx, leader.Config{Pool: r.cfg.Pool, Name: "relay " + r.cfg.Stream, Logger: r.logger}, r.lead)
	})
	return nil
}

// Stop ends the relay and waits for it, no longer than ctx. What is not known to be published then is published by the next leader.
func (r *Relay) Stop(ctx context.Context) error {
	r.cancel()
	defer r.js.CleanupPublisher()
	if err := waitFor(ctx, &r.wg); err != nil {
		return fmt.Errorf("stop the relay: %w", err)
	}
	return nil
}

// lead relays for as long as the session lasts.
func (r *Relay) lead(ctx context.Context, s *leader.Session) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer func() { cancel(); wg.Wait() }()
	wg.Go(func() { r.keepHouse(ctx) })

	if err := s.Do(ctx, func(conn *pgx.Conn) error { return listen(ctx, conn) }); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	var failures int
	for ctx.Err() == nil {
		err := r.relayUntilFailure(ctx, s, &failures)
		if isSQL(err) {
			return err
		}
		failures++
		if ctx.Err() == nil {
			r.logger.WarnContext(ctx, "cannot publish events; they wait in the outbox", "error", err, "failures", failures)
			pauseFor(ctx, backoff(failures, 50*time.Millisecond, 2*time.Second))
		}
	}
	return ctx.Err()
}

// relayUntilFailure makes sure of the stream and publishes what there is and what comes. failures goes back to 0 when something works.
func (r *Relay) relayUntilFailure(ctx context.Context, s *leader.Session, failures *int) error {
	for {
		if err := r.ensureStream(ctx, s); err != nil {
			return err
		}
		var end tail
		for checked := time.Now(); time.Since(checked) < streamCheckEvery; {
			n, err := r.relayBatch(ctx, s, &end)
			if n > 0 {
				*failures = 0
			}
			if notLast(err) {
				break // somebody else has published, or the stream has lost something: look at it again
			}
			if err != nil {
				return err
			}
			if n == 0 {
				err := s.Do(ctx, func(conn *pgx.Conn) error { return awaitNotification(ctx, conn) })
				if err != nil {
					return sqlError{fmt.Errorf("wait for a notification: %w", err)}
				}
			}
		}
	}
}

func (r *Relay) streamConfig() natsconn.StreamConfig {
	return natsconn.StreamConfig{
		Name: r.cfg.Stream, Subjects: []string{subjectPrefix + r.cfg.Prefix + ".>"},
		Replicas: r.cfg.Replicas, MaxAge: r.cfg.MaxAge, MaxBytes: r.cfg.MaxBytes, Logger: r.logger,
	}
}
