package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/db"
	"github.com/atrium-mesh/atrium/services/auth/internal/throttle"
)

// Throttle is the store as package throttle sees it.
func (s *Store) Throttle() throttle.Store { return throttleStore{s} }

type throttleStore struct{ *Store }

func (s throttleStore) InTx(ctx context.Context, fn func(tx throttle.Tx) error) error {
	return pg.InTx(ctx, s.pool, func(tx pgx.Tx) error { return fn(WithTx(tx)) })
}

func (r records) Known(ctx context.Context, pair []byte) (bool, error) {
	return r.q.IsKnownAddress(ctx, pair)
}

func (r records) Remember(ctx context.Context, pair []byte, at time.Time) error {
	return r.q.RememberAddress(ctx, db.RememberAddressParams{Key: pair, At: at})
}

func (r records) Count(ctx context.Context, scope string, key []byte) (throttle.Count, error) {
	row, err := r.q.GetSignInFailures(ctx, db.GetSignInFailuresParams{Scope: scope, Key: key})
	if _, err := found(err); err != nil {
		return throttle.Count{}, err
	}
	return countOf(row), nil
}

func (r records) Tell(ctx context.Context, scope string, key []byte, now time.Time) (bool, error) {
	_, err := r.q.TellSignInFailures(ctx, db.TellSignInFailuresParams{Scope: scope, Key: key, Now: now})
	return found(err)
}

func (r records) LockCount(ctx context.Context, scope string, key []byte, at time.Time) (throttle.Count, error) {
	row, err := r.q.LockSignInFailures(ctx, db.LockSignInFailuresParams{Scope: scope, Key: key, At: at})
	return countOf(row), err
}

func (r records) SaveCount(ctx context.Context, scope string, key []byte, c throttle.Count) error {
	return r.q.SaveSignInFailures(ctx, db.SaveSignInFailuresParams{
		Scope: scope, Key: key, Failures: int32(c.Failures), LastAt: c.LastAt, BlockedUntil: c.BlockedUntil, //nolint:gosec // counts attempts
	})
}

func (r records) TakeBack(ctx context.Context, scope string, key []byte, block *time.Time) error {
	return r.q.TakeBackSignInFailure(ctx, db.TakeBackSignInFailureParams{Scope: scope, Key: key, Block: block})
}

func (r records) Forget(ctx context.Context, scope string, key []byte) error {
	return r.q.ForgetSignInFailures(ctx, db.ForgetSignInFailuresParams{Scope: scope, Key: key})
}

func countOf(row db.SignInFailure) throttle.Count {
	return throttle.Count{Failures: int(row.Failures), LastAt: row.LastAt, BlockedUntil: row.BlockedUntil, ToldUntil: row.ToldUntil}
}
