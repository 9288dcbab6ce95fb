package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/standing"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/db"
)

var _ standing.Tx = (*Tx)(nil)

// Standing is the store as package standing sees it.
func (s *Store) Standing() standing.Store { return standingStore{s} }

type standingStore struct{ *Store }

func (s standingStore) InTx(ctx context.Context, fn func(tx standing.Tx) error) error {
	return pg.InTx(ctx, s.pool, func(tx pgx.Tx) error { return fn(WithTx(tx)) })
}

func (r records) SetStanding(ctx context.Context, account uuid.UUID, to standing.Change) (identity.Account, error) {
	row, err := r.q.SetAccountStanding(ctx, db.SetAccountStandingParams{ID: account, Status: to.Status, StatusBefore: to.Before, At: to.At})
	return identity.Account(row), err
}

func (r records) SetProfile(ctx context.Context, account uuid.UUID, p standing.Profile, at time.Time) error {
	return r.q.UpdateAccountProfile(ctx, db.UpdateAccountProfileParams{
		ID:             account,
		FullName:       p.FullName,
		Locale:         p.Locale,
		ProfileVersion: p.Version,
		At:             at,
	})
}

func (r records) EraseAccount(ctx context.Context, account uuid.UUID, at time.Time) (identity.Account, error) {
	row, err := r.q.EraseAccount(ctx, db.EraseAccountParams{ID: account, At: at})
	return identity.Account(row), err
}

func (r records) EraseBelongings(ctx context.Context, account uuid.UUID) error {
	if err := r.q.DeleteSessionsOfAccount(ctx, account); err != nil {
		return err
	}
	if err := r.q.ForgetDevices(ctx, account); err != nil {
		return err
	}
	if err := r.q.ForgetSignUpBrowser(ctx, account); err != nil {
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
