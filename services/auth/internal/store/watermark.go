package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/db"
)

// RaiseUser voids every access token of the account that was issued until now, and tells every verifier. Keep is how long such a token
// may still live. The caller holds [Tx.LockAccount].
func (tx *Tx) RaiseUser(ctx context.Context, account uuid.UUID, now time.Time, keep time.Duration) error {
	mark, err := tx.RaiseUserWatermark(ctx, db.RaiseUserWatermarkParams{AccountID: account, Now: now, KeepSeconds: keep.Seconds()})
	if err != nil {
		return err
	}
	return tx.publishMark(ctx, mark)
}

// RaiseSession voids every access token of the session that was issued until now, and tells every verifier. The caller holds the lock
// of the session's account.
func (tx *Tx) RaiseSession(ctx context.Context, session uuid.UUID, now time.Time, keep time.Duration) error {
	mark, err := tx.RaiseSessionWatermark(ctx, db.RaiseSessionWatermarkParams{SessionID: session, Now: now, KeepSeconds: keep.Seconds()})
	if err != nil {
		return err
	}
	return tx.publishMark(ctx, mark)
}

func (tx *Tx) publishMark(ctx context.Context, mark db.Watermark) error {
	return Publish(ctx, tx, api.WatermarkRaised, mark.ID, api.WatermarkRaisedData{
		Scope: mark.Scope, ID: mark.ID.String(), NotBefore: mark.NotBefore.UTC(), ExpiresAt: mark.ExpiresAt.UTC(),
	})
}
