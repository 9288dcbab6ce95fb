package jobs

import (
	"context"
	random "crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-mesh/atrium/pkg/leader"
	"github.com/atrium-mesh/atrium/pkg/pg"
)

const (
	lookEvery    = 2 * time.Second
	lookWithin   = 3 * time.Second
	takeWithin   = 5 * time.Second  // to connect and take the lock
	letGoAfter   = 8 * time.Second  // without proof that it holds the lock a runner cancels what it runs
	missingAfter = 10 * time.Second // longer than letGoAfter: a runner whose lock is gone for this long is gone
	againIn      = 500 * time.Millisecond
	randomLength = 8
	separator    = "@"
)

// presence is what others see of a runner: the lock of its identity. It also looks for those who are gone.
type presence struct {
	pool    *pgxpool.Pool
	replica string
	id      string
	logger  *slog.Logger

	mu      sync.Mutex
	proven  time.Time                    // when it was last known to hold the lock
	running map[int64]context.CancelFunc // by id of the job
	cancel  context.CancelFunc           // of the loop; nil: it does not run
	done    chan struct{}
}

func newPresence(pool *pgxpool.Pool, replica string, logger *slog.Logger) *presence {
	return &presence{
		pool: pool, replica: replica, id: replica + separator + strings.ToLower(random.Text()[:randomLength]), logger: logger,
		running: map[int64]context.CancelFunc{},
	}
}

// start takes the lock and what this replica ran before a restart, and goes on until stop.
func (p *presence) start(ctx context.Context) error {
	conn, err := p.appear(ctx)
	if err != nil {
		return err
	}
	if err := takeBackUnlocked(ctx, conn, p.replica); err != nil {
		closeConn(ctx, conn)
		return err
	}
	loop, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p.cancel, p.done = cancel, make(chan struct{})
	go func() {
		defer close(p.done)
		p.stay(loop, conn)
	}()
	return nil
}

// stop gives up the lock. What runs until then is run by others afterwards.
func (p *presence) stop() {
	if p.cancel == nil {
		return
	}
	p.cancel()
	<-p.done
	p.cancel = nil
}

// stay holds the lock, on one connection after the other.
func (p *presence) stay(ctx context.Context, conn *pgx.Conn) {
	unfenced := make(chan struct{})
	go func() {
		defer close(unfenced)
		p.watch(ctx)
	}()
	defer func() { <-unfenced }()
	for {
		err := p.hold(ctx, conn)
		closeConn(ctx, conn)
		if ctx.Err() != nil {
			return
		}
		p.logger.WarnContext(ctx, "the connection that says that this replica works is lost", "error", err)
		if conn = p.reappear(ctx); conn == nil {
			return
		}
		p.logger.InfoContext(ctx, "this replica is seen to work again")
	}
}

// reappear tries until it has the lock again, or returns nil when ctx is done. It does not wait long in between: others wait for it only
// so long, and the database may have come back for them too.
func (p *presence) reappear(ctx context.Context) *pgx.Conn {
	for ctx.Err() == nil {
		conn, err := p.appear(ctx)
		if err == nil {
			return conn
		}
		select {
		case <-ctx.Done():
		case <-time.After(againIn/2 + rand.N(againIn)): //nolint:gosec // jitter
		}
	}
	return nil
}

// appear takes the lock on a connection of its own. The lock is shared, so that a session of this same runner that the server has not
// given up yet is not in the way.
func (p *presence) appear(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, takeWithin)
	defer cancel()
	pooled, err := p.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("take the lock of this replica: %w", pg.Err(err))
	}
	conn, asked := pooled.Hijack(), time.Now()
	_, err = conn.Exec(ctx, "SELECT pg_advisory_lock_shared("+keyOf+")", p.id)
	if err == nil {
		err = leader.KeepAlive(ctx, conn)
	}
	if err != nil {
		closeConn(ctx, conn)
		return nil, fmt.Errorf("take the lock of this replica: %w", pg.Err(err))
	}
	p.prove(asked)
	return conn, nil
}

// hold looks for runners that are gone until the connection is lost or ctx done. What it saw on an earlier connection does not count:
// after the database itself was away, everybody has to have the time to come back.
func (p *presence) hold(ctx context.Context, conn *pgx.Conn) error {
	look := lookout{conn: conn, id: p.id, replica: p.replica, missing: map[string]time.Time{}}
	for {
		asked := time.Now()
		taken, err := look.once(ctx, asked)
		if err != nil && (conn.IsClosed() || ctx.Err() != nil) {
			return err
		}
		if err != nil { // the session lives, and the lock with it
			p.logger.WarnContext(ctx, "cannot look for replicas that are gone; trying again", "error", err)
		}
		p.prove(asked)
		for runner, jobs := range taken {
			p.logger.WarnContext(ctx, "took over the jobs of a replica that is gone", "replica", runner, "jobs", jobs)
		}
		if err := idle(ctx, conn); err != nil {
			return err
		}
	}
}

// idle waits until it is time for the next look. It returns at once when the server ends the session.
func idle(ctx context.Context, conn *pgx.Conn) error {
	pause, cancel := context.WithTimeout(ctx, lookEvery)
	defer cancel()
	for {
		_, err := conn.WaitForNotification(pause)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case pause.Err() != nil && (pgconn.Timeout(err) || errors.Is(err, context.DeadlineExceeded)):
			return nil
		case err != nil:
			return err
		}
	}
}

// closeConn closes even when ctx is done, and does not wait for a server that is away.
func closeConn(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockWithin)
	defer cancel()
	_ = conn.Close(ctx)
}
