package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/setup"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/db"
)

// Setup is the store as package setup sees it.
func (s *Store) Setup() setup.Store { return setupStore{s} }

type setupStore struct{ *Store }

func (s setupStore) InTx(ctx context.Context, fn func(tx setup.Tx) error) error {
	return pg.InTx(ctx, s.pool, func(tx pgx.Tx) error { return fn(WithTx(tx)) })
}

func (r records) OpenLink(ctx context.Context, purpose string, now time.Time) (identity.Link, error) {
	row, err := r.q.GetOpenLink(ctx, db.GetOpenLinkParams{Purpose: purpose, Now: now})
	return identity.Link(row), err
}

func (r records) UseLinks(ctx context.Context, purpose string, at time.Time) error {
	return r.q.UseLinksOfPurpose(ctx, db.UseLinksOfPurposeParams{Purpose: purpose, At: at})
}
