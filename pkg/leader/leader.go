package leader

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	pollEvery    = time.Second
	electWithin  = 5 * time.Second
	closeWithin  = 2 * time.Second
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
)

// keepalive covers a session that is silent, the timeout one whose last answer was not received: there are no keepalives then. Both do
// nothing on a Unix socket.
const keepalive = "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; SET tcp_user_timeout = '25s'"

// KeepAlive makes the server end conn's session, and with it the locks of that session, within half a minute after the machine at the
// other end has gone.
func KeepAlive(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, keepalive); err != nil {
		return fmt.Errorf("set keepalive: %w", err)
	}
	return nil
}

// Config says what is led. Pool and Name are required.
type Config struct {
	Pool   *pgxpool.Pool // of the database that all candidates share; the leader takes one connection out of it for itself
	Name   string        // of the work; candidates of the same name compete
	Logger *slog.Logger  // nil: silent
}

// Run competes until ctx is done. While this process leads, it runs lead, whose context ends when the session is lost. When lead
// returns or panics, leadership is given up and competed for again after a pause that grows to 5 s.
func Run(ctx context.Context, cfg Config, lead func(ctx context.Context, s *Session) error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	c := candidate{Config: cfg, key: keyOf(cfg.Name), logger: cfg.Logger.With("leader", cfg.Name)}
	pause := firstPause
	for ctx.Err() == nil {
		conn, err := c.elect(ctx)
		if conn == nil {
			c.report(ctx, err)
			wait(ctx, jitter(pollEvery))
			continue
		}
		c.report(ctx, nil)
		begin := time.Now()
		err = c.lead(ctx, conn, lead)
		if ctx.Err() != nil {
			return
		}
		if time.Since(begin) > time.Minute {
			pause = firstPause
		}
		c.logger.WarnContext(ctx, "gave up leading", "error", err, "pause", pause)
		wait(ctx, jitter(pause))
		pause = min(2*pause, longestPause)
	}
}

type candidate struct {
	Config
	key    int64
	logger *slog.Logger
	away   bool // the database was away at the last try: reported once
}

// elect tries to take the lock. It returns nil when another has it.
func (c *candidate) elect(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, electWithin)
	defer cancel()
	pooled, err := c.Pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	var elected bool
	if err := pooled.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", c.key).Scan(&elected); err != nil {
		_ = pooled.Hijack().Close(ctx) // it may hold the lock
		return nil, fmt.Errorf("try the lock: %w", err)
	}
	if !elected {
		pooled.Release()
		return nil, nil
	}
	conn := pooled.Hijack()
	if err := KeepAlive(ctx, conn); err != nil {
		_ = conn.Close(ctx)
		return nil, err
	}
	return conn, nil
}

func (c *candidate) lead(ctx context.Context, conn *pgx.Conn, lead func(context.Context, *Session) error) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &Session{conn: conn, busy: make(chan struct{}, 1)}
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		s.watch(ctx, cancel)
	}()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
		if lost := context.Cause(ctx); lost != nil && !errors.Is(err, lost) {
			err = errors.Join(lost, err)
		}
		cancel(nil)
		<-watched
		c.resign(ctx, conn)
	}()
	c.logger.InfoContext(ctx, "leading")
	return lead(ctx, s)
}

// resign gives up the lock; closing the connection does that too, but the server takes a moment to notice.
func (c *candidate) resign(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWithin)
	defer cancel()
	if !conn.IsClosed() {
		_, _ = conn.Exec(ctx, "SELECT pg_advisory_unlock($1)", c.key)
	}
	_ = conn.Close(ctx)
}

func (c *candidate) report(ctx context.Context, err error) {
	switch {
	case err != nil && !c.away && ctx.Err() == nil:
		c.logger.WarnContext(ctx, "cannot compete for leadership", "error", err)
		c.away = true
	case err == nil:
		c.away = false
	}
}

func keyOf(name string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte("atrium leader " + name))
	return int64(h.Sum64()) //nolint:gosec // any 64 bits will do
}

func jitter(d time.Duration) time.Duration { return d*3/4 + rand.N(d/2) } //nolint:gosec // jitter

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
