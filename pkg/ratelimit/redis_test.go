package ratelimit_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/ratelimit"
	"github.com/atrium-mesh/atrium/pkg/ratelimit/redistest"
)

func connect(t testing.TB, url string) *ratelimit.Connection {
	t.Helper()
	c, err := ratelimit.Open(url)
	require.NoError(t, err)
	require.NoError(t, c.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, c.Stop(t.Context())) })
	return c
}

func TestRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Run(t)

	t.Run("two_instances_share_five_a_minute_exactly", func(t *testing.T) {
		t.Parallel()
		config := ratelimit.Config{Name: "shared", Limit: parse(t, "5/1m"), Timeout: 10 * time.Second}
		instances := make([]ratelimit.Limiter, 2)
		for n := range instances {
			config.Redis = connect(t, server.URL)
			instances[n] = newLimiter(t, config)
		}
		var allowed atomic.Int64
		var wg sync.WaitGroup
		for n := range 40 {
			wg.Go(func() {
				if d, err := instances[n%2].Allow(t.Context(), "a"); err == nil && d.Allowed {
					allowed.Add(1)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 5, allowed.Load())
		for _, l := range instances {
			d := allow(t, l, "a")
			require.False(t, d.Allowed)
			require.Equal(t, 5, d.Limit)
			require.InDelta(t, time.Minute, d.RetryAfter, float64(10*time.Second))
			require.GreaterOrEqual(t, d.ResetAfter, d.RetryAfter)
			require.True(t, allow(t, l, "b").Allowed, "each key has its own")
		}
	})
	t.Run("each_of_five_says_how_many_remain", func(t *testing.T) {
		t.Parallel()
		l := newLimiter(t, ratelimit.Config{Name: "remain", Limit: parse(t, "5/1m"), Redis: connect(t, server.URL), Timeout: 10 * time.Second})
		for n := range 5 {
			d := allow(t, l, "a")
			require.True(t, d.Allowed)
			require.Equal(t, 4-n, d.Remaining)
			require.Equal(t, time.Minute, d.ResetAfter)
			require.Zero(t, d.RetryAfter)
		}
		require.False(t, allow(t, l, "a").Allowed)
	})
	t.Run("a_limit_over_sixty_is_exact_in_a_fresh_window", func(t *testing.T) {
		t.Parallel()
		l := newLimiter(t, ratelimit.Config{Name: "many", Limit: parse(t, "100/1m"), Redis: connect(t, server.URL), Timeout: 10 * time.Second})
		for range 100 {
			require.True(t, allow(t, l, "a").Allowed)
		}
		require.False(t, allow(t, l, "a").Allowed)
	})
	t.Run("the_window_slides_and_the_key_goes", func(t *testing.T) {
		t.Parallel()
		connection := connect(t, server.URL)
		l := newLimiter(t, ratelimit.Config{Name: "slides", Limit: parse(t, "2/1s"), Redis: connection, Timeout: 10 * time.Second})
		start := time.Now()
		require.True(t, allow(t, l, "a").Allowed)
		require.True(t, allow(t, l, "a").Allowed)
		require.Eventually(t, func() bool { return allow(t, l, "a").Allowed }, 10*time.Second, 5*time.Millisecond)
		require.GreaterOrEqual(t, time.Since(start), time.Second-time.Millisecond)
		if !server.Real() {
			return // the imitation expires keys when it is told to
		}
		client, err := connection.Client(t.Context())
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			keys, err := client.Do(t.Context(), client.B().Keys().Pattern("atrium:limit:slides:*").Build()).AsStrSlice()
			return err == nil && len(keys) == 0
		}, 10*time.Second, 20*time.Millisecond)
	})
	t.Run("keys_are_not_readable", func(t *testing.T) {
		t.Parallel()
		connection := connect(t, server.URL)
		allow(t, newLimiter(t, ratelimit.Config{Name: "secret", Limit: parse(t, "5/1m"), Redis: connection, Timeout: 10 * time.Second}), "203.0.113.7")
		client, err := connection.Client(t.Context())
		require.NoError(t, err)
		keys, err := client.Do(t.Context(), client.B().Keys().Pattern("atrium:limit:secret:*").Build()).AsStrSlice()
		require.NoError(t, err)
		require.Len(t, keys, 1)
		require.NotContains(t, keys[0], "203.0.113.7")
	})
	t.Run("the_caller_may_leave", func(t *testing.T) {
		t.Parallel()
		l := newLimiter(t, ratelimit.Config{Name: "leave", Limit: parse(t, "5/1m"), Redis: connect(t, server.URL)})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := l.Allow(ctx, "a")
		require.ErrorIs(t, err, context.Canceled)
	})
}

func TestRedisAway(t *testing.T) {
	t.Parallel()
	server := redistest.Run(t)
	c := newClock()
	var logged bytes.Buffer
	l := newLimiter(t, ratelimit.Config{
		Name: "away", Limit: parse(t, "5/1h"), Redis: connect(t, server.URL), Clock: c.Now, Timeout: 2 * time.Second,
		Logger: slog.New(slog.NewTextHandler(&logged, nil)),
	})
	for range 3 {
		require.True(t, allow(t, l, "a").Allowed)
	}
	server.Stop()
	require.True(t, allow(t, l, "a").Allowed, "nobody is refused because Redis is away")
	require.True(t, allow(t, l, "a").Allowed)
	require.False(t, allow(t, l, "a").Allowed, "this process has counted along")
	for range 5 {
		c.Advance(time.Second)
		require.False(t, allow(t, l, "a").Allowed)
	}
	require.Equal(t, 1, strings.Count(logged.String(), "Redis is away"))
	c.Advance(time.Minute)
	allow(t, l, "a")
	require.Equal(t, 2, strings.Count(logged.String(), "Redis is away"))

	server.Start()
	require.Eventually(t, func() bool {
		c.Advance(time.Second)
		return allow(t, l, "a").Allowed
	}, 10*time.Second, 5*time.Millisecond, "the empty Redis decides again")
}

func TestRedisAwayAtStart(t *testing.T) {
	t.Parallel()
	server := redistest.Run(t)
	server.Stop()
	c := newClock()
	l := newLimiter(t, ratelimit.Config{Name: "start", Limit: parse(t, "2/1h"), Redis: connect(t, server.URL), Clock: c.Now, Timeout: 2 * time.Second})
	require.True(t, allow(t, l, "a").Allowed)
	require.True(t, allow(t, l, "a").Allowed)
	require.False(t, allow(t, l, "a").Allowed)
	server.Start()
	require.Eventually(t, func() bool {
		c.Advance(time.Second)
		return allow(t, l, "a").Allowed
	}, 10*time.Second, 5*time.Millisecond)
}

func TestOpen(t *testing.T) {
	t.Parallel()
	_, err := ratelimit.Open("redis://user:hunter2@host:port/0")
	require.Error(t, err)
	require.NotContains(t, err.Error(), "hunter2")
	c, err := ratelimit.Open("redis://localhost:6379")
	require.NoError(t, err)
	require.NoError(t, c.Stop(t.Context()))
	_, err = c.Client(t.Context())
	require.Error(t, err)
}

func BenchmarkRedis(b *testing.B) {
	server := redistest.Run(b)
	l := newLimiter(b, ratelimit.Config{Name: "bench", Limit: parse(b, "100000/1m"), Redis: connect(b, server.URL), Timeout: 10 * time.Second})
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := l.Allow(b.Context(), "a"); err != nil {
				b.Error(err)
			}
		}
	})
}
