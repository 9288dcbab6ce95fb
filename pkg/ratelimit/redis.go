package ratelimit

import (
	"cmp"
	"context"
	_ "embed" // the script
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

const (
	keyPrefix      = "atrium:limit:"
	defaultTimeout = 250 * time.Millisecond
	probeAfter     = time.Second // while Redis is away, one call in this time tries it
	logAfter       = time.Minute
)

//go:embed script.lua
var script string

// Redis counts for all who share one Redis. While that is away it counts in the process. Make one with [New].
type Redis struct {
	name       string
	connection *Connection
	script     *rueidis.Lua
	args       []string
	limit      int
	timeout    time.Duration
	fallback   *Memory
	clock      func() time.Time
	logger     *slog.Logger
	metrics    metrics

	downUntil atomic.Int64 // when to try again, in ms since 1970; 0: it is there
	logged    atomic.Int64 // when its absence was logged last
}

func newRedis(c Config, fallback *Memory) *Redis {
	return &Redis{
		name: c.Name, connection: c.Redis, script: rueidis.NewLuaScript(script),
		args: []string{
			strconv.Itoa(c.Limit.Count), strconv.FormatInt(c.Limit.periodMillis(), 10), strconv.FormatInt(c.Limit.slotMillis(), 10),
		},
		limit: c.Limit.Count, timeout: cmp.Or(c.Timeout, defaultTimeout), fallback: fallback,
		clock: c.Clock, logger: c.Logger, metrics: fallback.metrics,
	}
}

// Allow counts one for key, in Redis or, while that is away, in the process.
func (r *Redis) Allow(ctx context.Context, key string) (Decision, error) {
	digest := digestOf(key)
	if r.try() {
		d, err := r.take(ctx, digest)
		if err == nil {
			r.downUntil.Store(0)
			if d.Allowed {
				r.fallback.take(digest) // so that it knows when it is needed
			}
			r.metrics.count(ctx, inRedis, d)
			return d, nil
		}
		if ctx.Err() != nil {
			return Decision{}, fmt.Errorf("rate limit %s: %w", r.name, ctx.Err())
		}
		r.away(ctx, err)
	}
	d := r.fallback.take(digest)
	r.metrics.count(ctx, inFallback, d)
	return d, nil
}

// try reports whether to ask Redis: always while it is there, and one call a second while it is not.
func (r *Redis) try() bool {
	until := r.downUntil.Load()
	if until == 0 {
		return true
	}
	now := r.clock()
	return now.UnixMilli() >= until && r.downUntil.CompareAndSwap(until, now.Add(probeAfter).UnixMilli())
}

func (r *Redis) take(ctx context.Context, key digest) (Decision, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	client, err := r.connection.Client(ctx)
	if err != nil {
		return Decision{}, err
	}
	name := keyPrefix + r.name + ":" + base64.RawURLEncoding.EncodeToString(key[:])
	answer, err := r.script.Exec(ctx, client, []string{name}, r.args).AsIntSlice()
	if err != nil {
		return Decision{}, fmt.Errorf("run the script: %w", err)
	}
	if len(answer) != 4 {
		return Decision{}, errors.New("the script gave another answer than was expected")
	}
	return Decision{
		Allowed: answer[0] == 1, Limit: r.limit, Remaining: int(answer[1]),
		ResetAfter: millis(answer[2]), RetryAfter: millis(answer[3]),
	}, nil
}

// away remembers that Redis is away, and says so at most once a minute.
func (r *Redis) away(ctx context.Context, err error) {
	now := r.clock()
	r.downUntil.Store(now.Add(probeAfter).UnixMilli())
	last := r.logged.Load()
	if now.UnixMilli()-last < logAfter.Milliseconds() || !r.logged.CompareAndSwap(last, now.UnixMilli()) {
		return
	}
	r.logger.WarnContext(ctx, "Redis is away; limits are counted in each process", "limit", r.name, "error", err)
}
