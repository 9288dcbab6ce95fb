package events

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/atrium-mesh/atrium/pkg/leader"
)

// ConsumerConfig is what a consumer needs. Name, Pool, JS and Handlers are required.
type ConsumerConfig struct {
	Name     string // of the service: notifications. It names the durable consumer and the rows in the inbox
	Pool     *pgxpool.Pool
	JS       jetstream.JetStream
	Handlers []Handler

	Timeout   time.Duration // of one handling of one event; default 30 s
	Retention time.Duration // of rows in the inbox, and of resolved dead letters; default 30 days. Longer than an event can come again
	RetryDead time.Duration // first wait of a dead letter that is tried again by itself; default 1 minute

	Tracer trace.TracerProvider // nil: no spans
	Meter  metric.MeterProvider // nil: no metrics
	Logger *slog.Logger         // nil: silent
}

// Consumer handles events in order, each once in effect. It is a lifecycle component; of all replicas one consumes a stream at a time.
type Consumer struct {
	cfg     ConsumerConfig
	streams []*subscription

	cancel context.CancelFunc
	wg     sync.WaitGroup
}

const (
	defaultTimeout        = 30 * time.Second
	defaultInboxRetention = 30 * 24 * time.Hour
	defaultRetryDead      = time.Minute
)

// NewConsumer makes a consumer that does nothing before Start. Two handlers of one type are a mistake of the program and panic.
func NewConsumer(cfg ConsumerConfig) *Consumer {
	cfg.Timeout = cmp.Or(cfg.Timeout, defaultTimeout)
	cfg.Retention = cmp.Or(cfg.Retention, defaultInboxRetention)
	cfg.RetryDead = cmp.Or(cfg.RetryDead, defaultRetryDead)
	metrics := newConsumerMetrics(cfg.Meter, cfg.Name)
	byStream := map[string]*subscription{}
	for _, h := range cfg.Handlers {
		name := StreamOf(h.typeName)
		sub := byStream[name]
		if sub == nil {
			sub = &subscription{
				ConsumerConfig: cfg, stream: name, handlers: map[string]Handler{}, tracer: tracerOf(cfg.Tracer), metrics: metrics,
				logger: loggerOr(cfg.Logger).With("consumer", cfg.Name, "stream", name),
			}
			byStream[name] = sub
		}
		if _, twice := sub.handlers[h.typeName]; twice {
			panic(fmt.Sprintf("events: %s has two handlers of %s", cfg.Name, h.typeName))
		}
		sub.handlers[h.typeName] = h
	}
	c := &Consumer{cfg: cfg}
	for _, name := range slices.Sorted(maps.Keys(byStream)) {
		c.streams = append(c.streams, byStream[name])
	}
	return c
}

// Start begins to consume and returns at once; neither NATS nor PostgreSQL needs to be there.
func (c *Consumer) Start(ctx context.Context) error {
	ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	for _, sub := range c.streams {
		c.wg.Go(func() {
			leader.Run(ctx, leader.Config{Pool: c.cfg.Pool, Name: "consumer " + c.cfg.Name + " " + sub.stream, Logger: sub.logger}, sub.lead)
		})
	}
	return nil
}

// Stop ends the consumer and waits for it, no longer than ctx. An event that is being handled is rolled back and redelivered.
func (c *Consumer) Stop(ctx context.Context) error {
	c.cancel()
	if err := waitFor(ctx, &c.wg); err != nil {
		return fmt.Errorf("stop the consumer: %w", err)
	}
	return nil
}
