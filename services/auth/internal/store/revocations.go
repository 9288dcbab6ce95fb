package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/db"
)

// RaiseUser voids every access token of the account that was issued until now, and tells every verifier.
func (tx *Tx) RaiseUser(ctx context.Context, account uuid.UUID, now time.Time, keep time.Duration) error {
	mark, err := tx.q.RaiseUserWatermark(ctx, db.RaiseUserWatermarkParams{AccountID: account, Now: now, KeepSeconds: keep.Seconds()})
	if err != nil {
		return err
	}
	return tx.publishMark(ctx, mark)
}

// RaiseSessions voids every access token of the sessions that was issued until now, and tells every verifier of each.
func (tx *Tx) RaiseSessions(ctx context.Context, sessions []uuid.UUID, now time.Time, keep time.Duration) error {
	marks, err := tx.q.RaiseSessionWatermarks(ctx, db.RaiseSessionWatermarksParams{SessionIds: sessions, Now: now, KeepSeconds: keep.Seconds()})
	if err != nil {
		return err
	}
	for _, mark := range marks {
		if err := tx.publishMark(ctx, mark); err != nil {
			return err
		}
	}
	return nil
}

// RaiseKey voids whatever the key has signed and will sign, and tells every verifier.
func (tx *Tx) RaiseKey(ctx context.Context, kid string, until time.Time) error {
	id, err := uuid.Parse(token.KeyID(kid))
	if err != nil {
		return fmt.Errorf("raise a watermark of a key: %w", err)
	}
	mark, err := tx.q.RaiseKeyWatermark(ctx, db.RaiseKeyWatermarkParams{KeyID: id, ExpiresAt: until})
	if err != nil {
		return err
	}
	return tx.publishMark(ctx, mark)
}

// NotBefore is the instant that a new token of the account and the session must not be older than.
func (tx *Tx) NotBefore(ctx context.Context, account, session uuid.UUID) (time.Time, error) {
	return tx.q.LatestWatermark(ctx, db.LatestWatermarkParams{AccountID: account, SessionID: session})
}

func (tx *Tx) publishMark(ctx context.Context, mark db.Watermark) error {
	return identity.Publish(ctx, tx, api.WatermarkRaised, mark.ID, api.WatermarkRaisedData{
		Scope: mark.Scope, ID: mark.ID.String(), NotBefore: mark.NotBefore.UTC(), ExpiresAt: mark.ExpiresAt.UTC(),
	})
}
