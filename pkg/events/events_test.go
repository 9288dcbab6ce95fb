package events_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
)

func TestDelivery(t *testing.T) {
	t.Parallel()

	t.Run("each event of a subject arrives once and in order", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.relay()
		b.consume(b.consumer, record())
		for n := 1; n <= 30; n++ {
			for _, subject := range []string{"a", "b", "c"} {
				b.publish(subject, n, 1)
			}
		}
		for _, subject := range []string{"a", "b", "c"} {
			b.eventually(subject, 30)
		}
		b.allPublished()
	})

	t.Run("what is rolled back is not published", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.relay()
		b.consume(b.consumer, record())
		err := pg.InTx(t.Context(), b.producer, func(tx pgx.Tx) error {
			require.NoError(t, events.Publish(t.Context(), tx, userChanged(), "a", changed{N: 99}))
			return errs.New(errs.Conflict, "no", "No.")
		})
		require.ErrorIs(t, err, errs.Conflict)
		b.publish("a", 1, 1)
		b.eventually("a", 1)
	})

	t.Run("consumers on two pools: each event has one effect", func(t *testing.T) {
		t.Parallel()
		url := pgtest.NewURL(t, effects())
		b := setupOn(t, pgtest.New(t, nil), pgtest.Open(t, url))
		b.relay()
		stop := b.consume(b.consumer, record())
		b.consume(pgtest.Open(t, url), record())
		b.publish("a", 1, 20)
		b.eventually("a", 20)
		stop() // whichever leads then
		b.publish("a", 21, 20)
		b.eventually("a", 40)
		require.Equal(t, 40, scan[int](t, b.consumer, "SELECT count(*) FROM inbox"))
	})

	t.Run("each service has its own effects", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		other := pgtest.New(t, effects())
		b.relay()
		b.consume(b.consumer, record())
		b.run(events.NewConsumer(events.ConsumerConfig{Name: "other", Pool: other, JS: b.js, Handlers: []events.Handler{record()}}))
		b.publish("a", 1, 10)
		b.eventually("a", 10)
		b.eventuallyIn(other, "a", 10)
	})
}

func TestHandlerReceives(t *testing.T) {
	t.Parallel()
	b := setup(t)
	exporter := tracetest.NewInMemoryExporter()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	b.run(events.NewRelay(events.RelayConfig{Pool: b.producer, JS: b.js, Stream: "USERS", Prefix: "users", Tracer: tracer}))
	follow := events.Define[changed]("users.user.followed.v1")
	got := make(chan events.Event[changed], 1)
	principals := make(chan *authz.Principal, 1)
	b.run(events.NewConsumer(events.ConsumerConfig{Name: "test", Pool: b.consumer, JS: b.js, Tracer: tracer, Handlers: []events.Handler{
		events.On(userChanged(), func(ctx context.Context, tx pgx.Tx, e events.Event[changed]) error {
			principals <- authz.PrincipalFrom(ctx)
			got <- e
			return events.Publish(ctx, tx, follow, e.Subject, changed{N: 2})
		}),
	}}))

	subject := uuid.Must(uuid.NewV7()).String()
	ctx, root := tracer.Tracer("test").Start(t.Context(), "request")
	ctx = authz.WithPrincipal(ctx, &authz.Principal{Subject: "ada", OrgID: "acme"})
	require.NoError(t, pg.InTx(ctx, b.producer, func(tx pgx.Tx) error {
		return events.Publish(ctx, tx, userChanged(), subject, changed{N: 1, Name: "new"})
	}))
	root.End()

	e := <-got
	require.Equal(t, uuid.Version(7), e.ID.Version())
	require.Equal(t, "users.user.changed.v1", e.Type)
	require.Equal(t, "/atrium/users", e.Source)
	require.Equal(t, subject, e.Subject)
	require.Equal(t, "acme", e.OrgID)
	require.Equal(t, "ada", e.Actor)
	require.Equal(t, changed{N: 1, Name: "new"}, e.Data)
	require.False(t, e.Time.IsZero())
	require.Nil(t, <-principals, "an event is nobody's request")

	require.True(t, poll(soon, func() bool { return scan[int](t, b.consumer, "SELECT count(*) FROM outbox") == 1 }))
	require.Equal(t, "ada", scan[string](t, b.consumer, "SELECT actor FROM outbox"), "events caused by an event keep its actor")
	require.True(t, poll(soon, func() bool { return len(exporter.GetSpans()) >= 3 }))
	for _, span := range exporter.GetSpans() {
		require.Equal(t, root.SpanContext().TraceID(), span.SpanContext.TraceID(), "one trace: %s", span.Name)
	}
}

func TestMessage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.relay()
	b.publish("a", 1, 1)
	b.allPublished()
	stream, err := b.js.Stream(t.Context(), "USERS")
	require.NoError(t, err)
	msg, err := stream.GetMsg(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, "events.users.user.changed.v1", msg.Subject)
	require.JSONEq(t, `{"n": 1}`, string(msg.Data))
	id := scan[uuid.UUID](t, b.producer, "SELECT id FROM outbox").String()
	for key, want := range map[string]string{
		"Nats-Msg-Id": id, "ce-id": id, "ce-type": "users.user.changed.v1", "ce-source": "/atrium/users", "ce-subject": "a",
		"ce-specversion": "1.0", "ce-orgid": "default", "ce-actor": "system", "ce-datacontenttype": "application/json",
	} {
		require.Equal(t, want, msg.Header.Get(key), key)
	}
	info, err := stream.Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, jetstream.FileStorage, info.Config.Storage)
}

func TestDefine(t *testing.T) {
	t.Parallel()
	require.Equal(t, "USERS", events.StreamOf("users.user.changed.v1"))
	for _, name := range []string{"", "users", "users.v1", "Users.user.changed.v1", "users.user.changed", "users.user.changed.v0", "users..changed.v1", "users.*.v1"} {
		require.Panics(t, func() { events.Define[changed](name) }, name)
	}
	require.Panics(t, func() {
		events.NewConsumer(events.ConsumerConfig{Name: "test", Handlers: []events.Handler{record(), record()}})
	})
}

func TestPublish(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t, nil)
	err := pg.InTx(t.Context(), pool, func(tx pgx.Tx) error {
		return events.Publish(t.Context(), tx, userChanged(), "a", changed{Name: fmt.Sprintf("%0*d", events.MaxDataBytes, 1)})
	})
	require.ErrorIs(t, err, errs.TooLarge)
	ctx := events.WithActor(t.Context(), "acme", "job")
	require.NoError(t, pg.InTx(ctx, pool, func(tx pgx.Tx) error { return events.Publish(ctx, tx, userChanged(), "a", changed{}) }))
	require.Equal(t, "acme job", scan[string](t, pool, "SELECT org_id || ' ' || actor FROM outbox"))
}
