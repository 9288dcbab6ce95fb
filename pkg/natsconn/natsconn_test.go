package natsconn_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/natsconn"
	"github.com/atrium-mesh/atrium/pkg/natstest"
)

func TestMain(m *testing.M) {
	natstest.Main()
	goleak.VerifyTestMain(m)
}

func open(t *testing.T, url string) *natsconn.Conn {
	t.Helper()
	c, err := natsconn.Open(natsconn.Config{URL: url}, "test", nil)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
		defer cancel()
		require.NoError(t, c.Stop(ctx))
	})
	return c
}

func TestOpen(t *testing.T) {
	t.Parallel()

	t.Run("connects once the server is there", func(t *testing.T) {
		t.Parallel()
		s := natstest.StartServer(t)
		s.Stop()
		c := open(t, s.URL())
		check := natsconn.Check(c.Conn)
		require.ErrorIs(t, check(t.Context()), errs.Unavailable)
		require.ErrorIs(t, natsconn.Err(c.Publish("a", nil)), errs.Unavailable, "nothing is buffered")

		s.Start()
		require.Eventually(t, func() bool { return check(t.Context()) == nil }, 10*time.Second, 5*time.Millisecond)
	})

	t.Run("stop lets a handler finish what was received", func(t *testing.T) {
		t.Parallel()
		s := natstest.StartServer(t)
		c, err := natsconn.Open(natsconn.Config{URL: s.URL()}, "test", nil)
		require.NoError(t, err)
		received, finish, handled := make(chan struct{}), make(chan struct{}), make(chan struct{})
		_, err = c.Subscribe("work", func(*nats.Msg) { close(received); <-finish; close(handled) })
		require.NoError(t, err)
		require.NoError(t, c.Publish("work", nil))
		<-received
		stopped := make(chan error, 1)
		go func() { stopped <- c.Stop(t.Context()) }()
		close(finish)
		require.NoError(t, <-stopped)
		<-handled
		require.True(t, c.IsClosed())
	})

	t.Run("stop gives up with its context", func(t *testing.T) {
		t.Parallel()
		s := natstest.StartServer(t)
		c, err := natsconn.Open(natsconn.Config{URL: s.URL()}, "test", nil)
		require.NoError(t, err)
		finish := make(chan struct{})
		received := make(chan struct{})
		_, err = c.Subscribe("work", func(*nats.Msg) { close(received); <-finish })
		require.NoError(t, err)
		require.NoError(t, c.Publish("work", nil))
		<-received
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, c.Stop(ctx), context.DeadlineExceeded)
		close(finish)
	})

	t.Run("a file that is not there is an error", func(t *testing.T) {
		t.Parallel()
		_, err := natsconn.Open(natsconn.Config{URL: "nats://127.0.0.1:1", CAFile: "/nowhere/ca.pem"}, "test", nil)
		require.Error(t, err)
		require.Error(t, natsconn.Config{CertFile: "a"}.Validate())
	})
}

func TestEnsureStream(t *testing.T) {
	t.Parallel()
	cfg := natsconn.StreamConfig{Name: "USERS", Subjects: []string{"events.users.>"}}

	t.Run("waits for the server, makes it, and updates its limits", func(t *testing.T) {
		t.Parallel()
		s := natstest.StartServer(t)
		s.Stop()
		js := jetStream(t, open(t, s.URL()).Conn)
		done := make(chan error, 1)
		go func() {
			_, err := natsconn.EnsureStream(t.Context(), js, cfg)
			done <- err
		}()
		s.Start()
		require.NoError(t, <-done)

		more := cfg
		more.MaxBytes, more.MaxAge = 1<<20, time.Hour
		info, err := natsconn.EnsureStream(t.Context(), js, more)
		require.NoError(t, err)
		require.Equal(t, int64(1<<20), info.Config.MaxBytes)
		require.Equal(t, time.Hour, info.Config.MaxAge)
		require.Equal(t, jetstream.FileStorage, info.Config.Storage)
		require.GreaterOrEqual(t, info.Config.Duplicates, 2*time.Minute)
	})

	t.Run("gives up with its context", func(t *testing.T) {
		t.Parallel()
		s := natstest.StartServer(t)
		s.Stop()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err := natsconn.EnsureStream(ctx, jetStream(t, open(t, s.URL()).Conn), cfg)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})

	t.Run("replicas for which there are too few servers are waited for, and a stream that is there goes on", func(t *testing.T) {
		t.Parallel()
		js := jetStream(t, natstest.Run(t))
		three := cfg
		three.Replicas = 3
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		_, err := natsconn.EnsureStream(ctx, js, three)
		require.ErrorIs(t, err, context.DeadlineExceeded, "it was tried again until then")
		require.ErrorContains(t, err, "replicas > 1 not supported", "the reason is named")

		_, err = natsconn.EnsureStream(t.Context(), js, cfg)
		require.NoError(t, err)
		info, err := natsconn.EnsureStream(t.Context(), js, three)
		require.NoError(t, err)
		require.Equal(t, 1, info.Config.Replicas)
	})

	t.Run("a configuration that cannot be is an error at once", func(t *testing.T) {
		t.Parallel()
		js := jetStream(t, natstest.Run(t))
		_, err := natsconn.EnsureStream(t.Context(), js, cfg)
		require.NoError(t, err)
		_, err = natsconn.EnsureStream(t.Context(), js, natsconn.StreamConfig{Name: "OTHER", Subjects: []string{"events.users.>"}})
		require.ErrorContains(t, err, "overlap")
	})
}

func TestHeaderCarrier(t *testing.T) {
	t.Parallel()
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
	header := nats.Header{}
	propagation.TraceContext{}.Inject(trace.ContextWithSpanContext(t.Context(), span), natsconn.HeaderCarrier(header))
	require.Contains(t, header, "traceparent", "keys are not canonicalised")
	ctx := propagation.TraceContext{}.Extract(t.Context(), natsconn.HeaderCarrier(header))
	require.Equal(t, span.TraceID(), trace.SpanContextFromContext(ctx).TraceID())
}

func jetStream(t *testing.T, nc *nats.Conn) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	return js
}
