package leader

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	pingEvery  = 2 * time.Second
	pingWithin = 2 * time.Second
)

// ErrLost means that the session that held the lock is gone.
var ErrLost = errors.New("leadership is lost")

// Session is the session that holds the lock.
type Session struct {
	conn *pgx.Conn
	busy chan struct{} // holds a token while the connection is in use
}

// Do gives fn the connection, to one caller at a time. While fn works on it, it is known to hold the lock: without the lock there is
// no session, and what fn does fails.
func (s *Session) Do(ctx context.Context, fn func(conn *pgx.Conn) error) error {
	select {
	case s.busy <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.busy }()
	return fn(s.conn)
}

// watch pings an idle connection and ends ctx once the session is gone. A busy one tells its user by itself.
func (s *Session) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	ticker := time.NewTicker(pingEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		select {
		case s.busy <- struct{}{}:
		default:
			continue
		}
		err := s.ping(ctx)
		<-s.busy
		if err != nil && ctx.Err() == nil {
			cancel(fmt.Errorf("%w: %w", ErrLost, err))
			return
		}
	}
}

func (s *Session) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pingWithin)
	defer cancel()
	return s.conn.Ping(ctx)
}
