package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/db"
)

func (r records) Link(ctx context.Context, hash []byte) (identity.Link, error) {
	row, err := r.q.GetLink(ctx, hash)
	return identity.Link(row), err
}

// AddLink is the link that was added, or the one that is there already for the same delivery and purpose.
func (r records) AddLink(ctx context.Context, l identity.Link) (identity.Link, error) {
	row, err := r.q.UpsertLink(ctx, db.UpsertLinkParams{
		ID: l.ID, OrgID: l.OrgID, AccountID: l.AccountID, Purpose: l.Purpose, Hash: l.Hash, DeliveryID: l.DeliveryID,
		At: l.CreatedAt, ExpiresAt: l.ExpiresAt,
	})
	return identity.Link(row), err
}

func (r records) LockLink(ctx context.Context, hash []byte) (identity.Link, error) {
	row, err := r.q.LockLink(ctx, hash)
	return identity.Link(row), err
}

func (r records) UseLink(ctx context.Context, id uuid.UUID, at time.Time) error {
	return r.q.UseLink(ctx, db.UseLinkParams{ID: id, At: at})
}

func (r records) UseLinksOf(ctx context.Context, account uuid.UUID, purpose string, at time.Time) error {
	return r.q.UseLinksOfAccount(ctx, db.UseLinksOfAccountParams{AccountID: &account, Purpose: purpose, At: at})
}
