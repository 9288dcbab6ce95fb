package store

import (
	"context"
	"fmt"
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

// MarkLinkSent remembers when the mail with a link was first accepted.
func (r records) MarkLinkSent(ctx context.Context, id uuid.UUID, at time.Time) error {
	return r.q.MarkLinkSent(ctx, db.MarkLinkSentParams{ID: id, At: at})
}

func (r records) CloseLinks(ctx context.Context, account uuid.UUID, kept []string, at time.Time) error {
	if err := r.q.CloseLinksOfAccount(ctx, db.CloseLinksOfAccountParams{AccountID: &account, Kept: kept, At: at}); err != nil {
		return err
	}
	return r.q.CloseLinkCauses(ctx, db.CloseLinkCausesParams{AccountID: account, Kept: kept})
}

func (r records) UseLinksOf(ctx context.Context, account uuid.UUID, purpose string, at time.Time) error {
	return r.q.UseLinksOfAccount(ctx, db.UseLinksOfAccountParams{AccountID: &account, Purpose: purpose, At: at})
}

// AllowLink records something for which one mail may carry a link.
func (tx *Tx) AllowLink(ctx context.Context, c identity.LinkCause) error {
	id, err := identity.NewID()
	if err != nil {
		return err
	}
	return tx.q.AllowLink(ctx, db.AllowLinkParams{ID: id, AccountID: c.AccountID, Purpose: c.Purpose, At: c.At, ExpiresAt: c.ExpiresAt})
}

// TakeLinkCause gives a cause to a mail, or finds the one that the mail has already. It is false when there is none.
func (r records) TakeLinkCause(ctx context.Context, c identity.LinkCauseTaken) (bool, error) {
	has := func() (bool, error) {
		return r.q.HasLinkCause(ctx, db.HasLinkCauseParams{
			DeliveryID: c.DeliveryID,
			Purpose:    c.Purpose,
			AccountID:  c.AccountID,
			Now:        c.At,
		})
	}
	if taken, err := has(); taken || err != nil {
		return taken, err
	}
	rows, err := r.q.TakeLinkCause(ctx, db.TakeLinkCauseParams{
		AccountID:  c.AccountID,
		Purpose:    c.Purpose,
		DeliveryID: c.DeliveryID,
		Now:        c.At,
		Until:      c.Until,
	})
	if rows == 1 && err == nil {
		return true, nil
	}
	// Another attempt at the same mail may have been quicker, which is a conflict when there were two causes.
	if taken, again := has(); taken && again == nil {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("take the cause of a link: %w", err)
	}
	return false, nil
}
