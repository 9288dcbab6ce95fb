package pg

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	txAttempts     = 3
	txRetryBase    = 10 * time.Millisecond
	rollbackWithin = 2 * time.Second
)

// InTx runs fn in a transaction that commits when fn returns nil. After a serialization failure or a deadlock it runs fn again, at
// most three times in all; fn must therefore have no effect but those of its transaction. The error has been through Err.
func InTx(ctx context.Context, db Beginner, fn func(tx pgx.Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := once(ctx, db, fn)
		if err == nil || attempt == txAttempts || !transient(err) {
			return Err(err)
		}
		pause := txRetryBase<<attempt + rand.N(txRetryBase<<attempt) //nolint:gosec // jitter
		select {
		case <-ctx.Done():
			return Err(err)
		case <-time.After(pause):
		}
	}
}

func once(ctx context.Context, db Beginner, fn func(tx pgx.Tx) error) error {
	tx, err := begin(ctx, db)
	if err != nil {
		return err
	}
	defer func() { // after Commit it does nothing; after a panic in fn it still releases the connection
		rollback, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackWithin)
		defer cancel()
		_ = tx.Rollback(rollback)
	}()
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// begin tries again when a pooled connection turns out to be dead, as after a restart of the server: nothing has been done on it. So one
// that does not begin in half of its time is told to come again (see acquisition).
func begin(ctx context.Context, db Beginner) (pgx.Tx, error) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience(deadline))
		defer cancel()
	}
	for attempt := 1; ; attempt++ {
		tx, err := db.Begin(ctx)
		if err == nil {
			return tx, nil
		}
		if errors.Is(err, context.DeadlineExceeded) {
			return nil, away().WithCause(err)
		}
		if attempt == txAttempts || ctx.Err() != nil || !stale(err) {
			return nil, err
		}
	}
}

// transient reports whether the server gave up a transaction that may succeed when it is run again.
func transient(err error) bool {
	pe, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pe.Code == codeSerializationFailure || pe.Code == codeDeadlockDetected)
}
