package ratelimit_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/atrium-mesh/atrium/pkg/ratelimit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is one that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 4, 5, 6, 7, 89_000_000, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func parse(t testing.TB, text string) ratelimit.Limit {
	t.Helper()
	l, err := ratelimit.Parse(text)
	require.NoError(t, err)
	return l
}

func newLimiter(t testing.TB, c ratelimit.Config) ratelimit.Limiter {
	t.Helper()
	if c.Name == "" {
		c.Name = "test"
	}
	l, err := ratelimit.New(c)
	require.NoError(t, err)
	return l
}

func allow(t testing.TB, l ratelimit.Limiter, key string) ratelimit.Decision {
	t.Helper()
	d, err := l.Allow(t.Context(), key)
	require.NoError(t, err)
	return d
}

func TestMemory(t *testing.T) {
	t.Parallel()
	t.Run("five_a_minute_are_five_in_a_fresh_window_and_the_sixth_is_refused", func(t *testing.T) {
		t.Parallel()
		c := newClock()
		l := newLimiter(t, ratelimit.Config{Limit: parse(t, "5/1m"), Clock: c.Now})
		for n := range 5 {
			require.Equal(t, ratelimit.Decision{Allowed: true, Limit: 5, Remaining: 4 - n, ResetAfter: time.Minute}, allow(t, l, "a"))
			c.Advance(11 * time.Second)
		}
		want := ratelimit.Decision{Limit: 5, ResetAfter: 49 * time.Second, RetryAfter: 5 * time.Second}
		require.Equal(t, want, allow(t, l, "a"), "also a minute less five seconds after the first")
		require.Equal(t, want, allow(t, l, "a"), "what is refused does not count")
		require.True(t, allow(t, l, "b").Allowed, "each key has its own")

		c.Advance(5*time.Second - time.Millisecond)
		require.False(t, allow(t, l, "a").Allowed)
		c.Advance(time.Millisecond)
		require.True(t, allow(t, l, "a").Allowed, "the first has left")
		require.False(t, allow(t, l, "a").Allowed)
	})
	t.Run("a_hundred_a_minute_are_a_hundred_at_once", func(t *testing.T) {
		t.Parallel()
		c := newClock()
		l := newLimiter(t, ratelimit.Config{Limit: parse(t, "100/1m"), Clock: c.Now})
		for range 100 {
			require.True(t, allow(t, l, "a").Allowed)
		}
		d := allow(t, l, "a")
		require.False(t, d.Allowed)
		require.LessOrEqual(t, d.RetryAfter, 61*time.Second)
		c.Advance(d.RetryAfter - time.Millisecond)
		require.False(t, allow(t, l, "a").Allowed)
		c.Advance(time.Millisecond)
		require.True(t, allow(t, l, "a").Allowed, "retry-after is true")
	})
	t.Run("many_at_once_share_exactly", func(t *testing.T) {
		t.Parallel()
		l := newLimiter(t, ratelimit.Config{Limit: parse(t, "50/1h")})
		var allowed atomic.Int64
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() {
				if d, err := l.Allow(t.Context(), "a"); err == nil && d.Allowed {
					allowed.Add(1)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 50, allowed.Load())
	})
	t.Run("off_allows_everything", func(t *testing.T) {
		t.Parallel()
		l := newLimiter(t, ratelimit.Config{Limit: parse(t, "off")})
		for range 1000 {
			require.Equal(t, ratelimit.Decision{Allowed: true}, allow(t, l, "a"))
		}
	})
	t.Run("a_clock_that_goes_back_allows_no_more", func(t *testing.T) {
		t.Parallel()
		c := newClock()
		l := newLimiter(t, ratelimit.Config{Limit: parse(t, "2/1m"), Clock: c.Now})
		allow(t, l, "a")
		c.Advance(-time.Hour)
		require.True(t, allow(t, l, "a").Allowed)
		require.False(t, allow(t, l, "a").Allowed)
	})
}

// At no time have more than the limit been allowed within a period; and what is refused was refused for a reason: the limit is reached,
// counting each a slot (a sixtieth of the period for a limit over sixty) longer than the period.
func TestWindowProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := ratelimit.Limit{
			Count:  rapid.OneOf(rapid.IntRange(1, 8), rapid.IntRange(61, 70)).Draw(t, "count"),
			Period: time.Duration(rapid.IntRange(1, 120).Draw(t, "seconds")) * time.Second,
		}
		slot := time.Millisecond
		if limit.Count > 60 {
			slot = limit.Period/60 + time.Millisecond
		}
		c := newClock()
		l, err := ratelimit.New(ratelimit.Config{Name: "test", Limit: limit, Clock: c.Now})
		if err != nil {
			t.Fatal(err)
		}
		var log []time.Time
		within := func(period time.Duration) (n int) {
			for _, at := range log {
				if c.Now().Sub(at) < period {
					n++
				}
			}
			return n
		}
		for range rapid.IntRange(1, 300).Draw(t, "calls") {
			c.Advance(time.Duration(rapid.Int64Range(0, limit.Period.Milliseconds()/int64(limit.Count)*2).Draw(t, "ms")) * time.Millisecond)
			d, err := l.Allow(t.Context(), "a")
			if err != nil {
				t.Fatal(err)
			}
			if d.Allowed {
				log = append(log, c.Now())
				if n := within(limit.Period); n > limit.Count {
					t.Fatalf("%d within %s, the limit is %s", n, limit.Period, limit)
				}
				continue
			}
			if n := within(limit.Period + slot); n < limit.Count {
				t.Fatalf("refused after %d, the limit is %s", n, limit)
			}
			if d.RetryAfter <= 0 || d.RetryAfter > limit.Period+slot || d.ResetAfter < d.RetryAfter {
				t.Fatalf("retry after %s, reset after %s", d.RetryAfter, d.ResetAfter)
			}
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	t.Run("keys_beyond_the_most_are_forgotten_the_oldest_first", func(t *testing.T) {
		t.Parallel()
		l := newLimiter(t, ratelimit.Config{Limit: parse(t, "1/1h"), MaxKeys: 10})
		for n := range 11 {
			require.True(t, allow(t, l, fmt.Sprint(n)).Allowed)
		}
		require.False(t, allow(t, l, "10").Allowed)
		require.False(t, allow(t, l, "1").Allowed)
		require.True(t, allow(t, l, "0").Allowed)
	})
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	for _, c := range []ratelimit.Config{
		{}, {Name: "Sign In"}, {Name: `a"b`}, {Name: "a", MaxKeys: -1}, {Name: "a", Timeout: -1},
	} {
		_, err := ratelimit.New(c)
		require.Error(t, err, c.Name)
	}
}

func BenchmarkMemory(b *testing.B) {
	for _, limit := range []string{"5/1m", "100/1m", "100000/1m"} {
		b.Run(limit, func(b *testing.B) {
			l := newLimiter(b, ratelimit.Config{Limit: parse(b, limit)})
			keys := make([]string, 1000)
			for n := range keys {
				keys[n] = fmt.Sprintf("user:%d", n)
			}
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for n := 0; pb.Next(); n++ {
					if _, err := l.Allow(b.Context(), keys[n%len(keys)]); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
