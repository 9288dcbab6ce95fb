package lifecycle_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/lifecycle"
)

const shutdown = 5 * time.Second

var errBroken = errors.New("broken")

// journal notes what happens, in order.
type journal struct {
	mu     sync.Mutex
	events []string
}

func (j *journal) note(event string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, event)
}

func (j *journal) component(name string) lifecycle.Component {
	return lifecycle.Func(
		func(context.Context) error { j.note("start " + name); return nil },
		func(context.Context) error { j.note("stop " + name); return nil },
	)
}

// run starts the group, waits until it has started, and returns how to end it.
func run(t *testing.T, g *lifecycle.Group) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- g.Run(ctx, shutdown) }()
	select {
	case <-g.Started():
	case err := <-result:
		cancel()
		require.FailNow(t, "the group ended before it started", "%v", err)
	}
	return func() error { cancel(); return <-result }
}

func TestGroup(t *testing.T) {
	t.Parallel()

	t.Run("starts in order, the last ones last, and stops in reverse", func(t *testing.T) {
		t.Parallel()
		var j journal
		g := lifecycle.NewGroup(nil)
		g.AddLast("server", j.component("server"))
		g.Add("pool", j.component("pool"))
		g.Add("relay", j.component("relay"))
		g.AddLast("drain", j.component("drain"))
		require.NoError(t, run(t, g)())
		require.Equal(t, []string{
			"start pool", "start relay", "start server", "start drain",
			"stop drain", "stop server", "stop relay", "stop pool",
		}, j.events)
	})

	t.Run("a failed start stops what has started and nothing else", func(t *testing.T) {
		t.Parallel()
		var j journal
		g := lifecycle.NewGroup(nil)
		g.Add("pool", j.component("pool"))
		g.Add("broken", lifecycle.Func(func(context.Context) error { return errBroken }, nil))
		g.Add("never", j.component("never"))
		err := g.Run(t.Context(), shutdown)
		require.ErrorIs(t, err, errBroken)
		require.ErrorContains(t, err, "start broken")
		require.Equal(t, []string{"start pool", "stop pool"}, j.events)
	})

	t.Run("a failure later stops everything", func(t *testing.T) {
		t.Parallel()
		var j journal
		g := lifecycle.NewGroup(nil)
		g.Add("pool", j.component("pool"))
		g.Add("loop", lifecycle.Go(func(context.Context) error { return errBroken }))
		err := g.Run(t.Context(), shutdown)
		require.ErrorIs(t, err, errBroken)
		require.ErrorContains(t, err, "loop failed")
		require.Equal(t, []string{"start pool", "stop pool"}, j.events)
	})

	t.Run("a panic is a failure with its stack", func(t *testing.T) {
		t.Parallel()
		g := lifecycle.NewGroup(nil)
		g.Add("loop", lifecycle.Go(func(context.Context) error { panic("lost my head") }))
		err := g.Run(t.Context(), shutdown)
		var panicked *lifecycle.PanicError
		require.ErrorAs(t, err, &panicked)
		require.ErrorContains(t, err, "loop failed: panic: lost my head")
		require.Contains(t, string(panicked.Stack), "lifecycle_test.go")
	})

	t.Run("a panic in Start or Stop is an error", func(t *testing.T) {
		t.Parallel()
		var j journal
		g := lifecycle.NewGroup(nil)
		g.Add("pool", j.component("pool"))
		g.Add("stop", lifecycle.Func(nil, func(context.Context) error { panic("at stop") }))
		g.Add("start", lifecycle.Func(func(context.Context) error { panic("at start") }, nil))
		err := g.Run(t.Context(), shutdown)
		require.ErrorContains(t, err, "start start: panic: at start")
		require.ErrorContains(t, err, "stop stop: panic: at stop")
		require.Equal(t, []string{"start pool", "stop pool"}, j.events)
	})

	t.Run("a stop while starting is not a failure", func(t *testing.T) {
		t.Parallel()
		var j journal
		ctx, cancel := context.WithCancel(t.Context())
		g := lifecycle.NewGroup(nil)
		g.Add("pool", j.component("pool"))
		g.Add("slow", lifecycle.Func(func(ctx context.Context) error { cancel(); <-ctx.Done(); return ctx.Err() }, nil))
		g.Add("never", j.component("never"))
		require.NoError(t, g.Run(ctx, shutdown))
		require.Equal(t, []string{"start pool", "stop pool"}, j.events)
	})

	t.Run("a stop that takes too long is reported and the rest still stops", func(t *testing.T) {
		t.Parallel()
		var j journal
		ctx, cancel := context.WithCancel(t.Context())
		g := lifecycle.NewGroup(nil)
		g.Add("pool", j.component("pool"))
		g.Add("slow", lifecycle.Func(nil, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }))
		g.Add("cancel", lifecycle.Func(func(context.Context) error { cancel(); return nil }, nil))
		err := g.Run(ctx, 10*time.Millisecond)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "stop slow")
		require.Equal(t, []string{"start pool", "stop pool"}, j.events)
	})

	t.Run("a stop that ignores its deadline is left behind", func(t *testing.T) {
		t.Parallel()
		var j journal
		release := make(chan struct{})
		defer close(release)
		ctx, cancel := context.WithCancel(t.Context())
		g := lifecycle.NewGroup(nil)
		g.Add("pool", j.component("pool"))
		g.Add("deaf", lifecycle.Func(nil, func(context.Context) error { <-release; return nil }))
		g.Add("cancel", lifecycle.Func(func(context.Context) error { cancel(); return nil }, nil))
		err := g.Run(ctx, time.Millisecond)
		require.ErrorContains(t, err, "stop deaf: does not stop")
		require.Equal(t, []string{"start pool", "stop pool"}, j.events)
	})
}

func TestGo(t *testing.T) {
	t.Parallel()

	t.Run("runs until stopped and is waited for", func(t *testing.T) {
		t.Parallel()
		var j journal
		g := lifecycle.NewGroup(nil)
		g.Add("loop", lifecycle.Go(func(ctx context.Context) error {
			<-ctx.Done()
			j.note("cleaned up")
			return ctx.Err()
		}))
		require.NoError(t, run(t, g)())
		require.Equal(t, []string{"cleaned up"}, j.events)
	})

	t.Run("outlives the signal until it is its turn to stop", func(t *testing.T) {
		t.Parallel()
		loop := make(chan context.Context, 1)
		var after error
		g := lifecycle.NewGroup(nil)
		g.Add("loop", lifecycle.Go(func(ctx context.Context) error { loop <- ctx; <-ctx.Done(); return nil }))
		g.Add("later", lifecycle.Func(nil, func(context.Context) error { after = (<-loop).Err(); return nil }))
		require.NoError(t, run(t, g)())
		require.NoError(t, after)
	})

	t.Run("work that is done does not stop the group", func(t *testing.T) {
		t.Parallel()
		g := lifecycle.NewGroup(nil)
		done := make(chan struct{})
		g.Add("once", lifecycle.Go(func(context.Context) error { close(done); return nil }))
		stop := run(t, g)
		<-done
		require.NoError(t, stop())
	})
}
