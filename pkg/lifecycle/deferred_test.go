package lifecycle_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/lifecycle"
)

func TestDeferred(t *testing.T) {
	t.Parallel()

	t.Run("waits until ready, starts again after a failed start, and stops", func(t *testing.T) {
		t.Parallel()
		var attempts atomic.Int32
		var reported atomic.Int32
		stopped := false
		ready := make(chan struct{})
		d := lifecycle.NewDeferred(ready, lifecycle.Func(
			func(context.Context) error {
				if attempts.Add(1) == 1 {
					return errBroken
				}
				return nil
			},
			func(context.Context) error { stopped = true; return nil },
		), func(error) { reported.Add(1) })
		g := lifecycle.NewGroup(nil)
		g.Add("deferred", d)
		stop := run(t, g)
		require.False(t, d.Started())
		require.Zero(t, attempts.Load())
		close(ready)
		require.Eventually(t, d.Started, 5*time.Second, 5*time.Millisecond)
		require.NoError(t, stop())
		require.EqualValues(t, 2, attempts.Load())
		require.EqualValues(t, 1, reported.Load())
		require.True(t, stopped)
	})

	t.Run("stops while it waits without touching the component", func(t *testing.T) {
		t.Parallel()
		d := lifecycle.NewDeferred(make(chan struct{}), lifecycle.Func(
			func(context.Context) error { panic("not ready") },
			func(context.Context) error { panic("not started") },
		), nil)
		g := lifecycle.NewGroup(nil)
		g.Add("deferred", d)
		require.NoError(t, run(t, g)())
	})

	t.Run("passes on a failure after the start", func(t *testing.T) {
		t.Parallel()
		ready := make(chan struct{})
		close(ready)
		d := lifecycle.NewDeferred(ready, lifecycle.Go(func(context.Context) error { return errBroken }), nil)
		g := lifecycle.NewGroup(nil)
		g.Add("deferred", d)
		require.ErrorIs(t, g.Run(t.Context(), shutdown), errBroken)
	})
}

func TestRetry(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	attempts := 0
	err := lifecycle.Retry(ctx, func(context.Context) error { attempts++; return errBroken }, func(err error) {
		require.ErrorIs(t, err, errBroken)
		cancel()
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 1, attempts)
}
