package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/services/auth/internal/store/db"
)

func (r records) KeepSignUpBrowser(ctx context.Context, account uuid.UUID, hash []byte, until time.Time) error {
	return r.q.KeepSignUpBrowser(ctx, db.KeepSignUpBrowserParams{AccountID: account, Hash: hash, ExpiresAt: until})
}

func (r records) IsSignUpBrowser(ctx context.Context, account uuid.UUID, hash []byte, now time.Time) (bool, error) {
	return r.q.IsSignUpBrowser(ctx, db.IsSignUpBrowserParams{AccountID: account, Hash: hash, Now: now})
}

func (r records) ForgetSignUpBrowser(ctx context.Context, account uuid.UUID) error {
	return r.q.ForgetSignUpBrowser(ctx, account)
}
