package pg

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// acquisition is a request's wait for a connection of the pool. It lasts for at most half of the time that the request has left: the other
// half is for what it wants to do, so that nobody begins something that cannot end in time, as when many have waited for a database that
// comes back. Nothing has been done for whoever waited in vain, who is told to come again (Unavailable); a database that does not
// answer in time is a Timeout.
type acquisition struct{ state atomic.Int32 }

// The states of an acquisition. Its context ends when it has been in vain.
const (
	onItsWay int32 = iota // on a connection that the caller holds, or one from the pool
	waiting
	inVain
)

type acquisitionKey struct{}

// acquiring follows what db, when it is a pool, does with the context that is returned.
func acquiring(ctx context.Context, db any) (context.Context, *acquisition) {
	a := &acquisition{}
	if _, ok := db.(interface {
		Acquire(ctx context.Context) (*pgxpool.Conn, error)
	}); !ok {
		return ctx, a
	}
	a.state.Store(waiting)
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx) // rows are read in it: it ends with the request's
		time.AfterFunc(patience(deadline), func() {
			if a.state.CompareAndSwap(waiting, inVain) {
				cancel()
			}
		})
	}
	return context.WithValue(ctx, acquisitionKey{}, a), a
}

// patience is how long to wait for a connection of a request that has until the deadline.
func patience(deadline time.Time) time.Duration { return time.Until(deadline) / 2 }

// acquired is the pool's PrepareConn: it is called with the context of whoever gets the connection.
func acquired(ctx context.Context, _ *pgx.Conn) (bool, error) {
	if a, ok := ctx.Value(acquisitionKey{}).(*acquisition); ok {
		a.state.CompareAndSwap(waiting, onItsWay)
	}
	return true, nil
}

func (a *acquisition) err(err error) error {
	switch a.state.Load() {
	case inVain:
		return away().WithCause(errors.Join(context.DeadlineExceeded, err))
	case waiting:
		if errors.Is(err, context.DeadlineExceeded) {
			return away().WithCause(err)
		}
	}
	return Err(err)
}
