package pg

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// acquisition tells a request that ran out of time while it waited for a connection from one that the database did not answer in time:
// of the first nothing has been done, so that it is told to come again (Unavailable), and the second is a Timeout.
type acquisition struct{ pool, done bool }

type acquisitionKey struct{}

// acquiring follows what db, when it is a pool, does with the context that is returned.
func acquiring(ctx context.Context, db any) (context.Context, *acquisition) {
	if _, ok := db.(interface {
		Acquire(ctx context.Context) (*pgxpool.Conn, error)
	}); !ok {
		return ctx, &acquisition{}
	}
	a := &acquisition{pool: true}
	return context.WithValue(ctx, acquisitionKey{}, a), a
}

// acquired is the pool's PrepareConn: it is called with the context of whoever gets the connection.
func acquired(ctx context.Context, _ *pgx.Conn) (bool, error) {
	if a, ok := ctx.Value(acquisitionKey{}).(*acquisition); ok {
		a.done = true
	}
	return true, nil
}

func (a *acquisition) err(err error) error {
	if a.pool && !a.done && errors.Is(err, context.DeadlineExceeded) {
		return away().WithCause(err)
	}
	return Err(err)
}
