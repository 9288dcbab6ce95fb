package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/services/auth/internal/standing"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/db"
)

var _ standing.Tx = (*Tx)(nil)

func (r records) SetStatus(ctx context.Context, account uuid.UUID, status string, version int64, at time.Time) (bool, error) {
	_, err := r.q.SetAccountStatus(ctx, db.SetAccountStatusParams{ID: account, Status: status, StatusVersion: version, At: at})
	return found(err)
}

func (r records) SetProfile(ctx context.Context, account uuid.UUID, fullName, locale string, at time.Time) error {
	return r.q.UpdateAccountProfile(ctx, db.UpdateAccountProfileParams{ID: account, FullName: fullName, Locale: locale, At: at})
}

func (r records) EraseAccount(ctx context.Context, account uuid.UUID, at time.Time) (bool, error) {
	n, err := r.q.EraseAccount(ctx, db.EraseAccountParams{ID: account, At: at})
	return n > 0, err
}

func (r records) EraseBelongings(ctx context.Context, account uuid.UUID) error {
	if err := r.q.DeleteSessionsOfAccount(ctx, account); err != nil {
		return err
	}
	if err := r.q.ForgetDevices(ctx, account); err != nil {
		return err
	}
	if err := r.q.DeleteLinksOfAccount(ctx, &account); err != nil {
		return err
	}
	if err := r.q.DeleteLinkCausesOfAccount(ctx, account); err != nil {
		return err
	}
	return r.q.DeleteRolesOfAccount(ctx, account)
}
