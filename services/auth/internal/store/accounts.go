package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/db"
)

func (r records) AddAccount(ctx context.Context, a identity.NewAccount) (identity.Account, error) {
	row, err := r.q.InsertAccount(ctx, db.InsertAccountParams{
		ID: a.ID, OrgID: identity.Org, Email: a.Email, EmailKey: a.EmailKey, FullName: a.FullName, Locale: a.Locale, Origin: a.Origin,
		VerifiedAt: a.VerifiedAt, VerificationRequestedAt: a.VerificationRequestedAt, CreatedAt: a.At,
	})
	return identity.Account(row), meaning(err)
}

func (r records) Account(ctx context.Context, id uuid.UUID) (identity.Account, error) {
	row, err := r.q.GetAccount(ctx, id)
	return identity.Account(row), err
}

func (r records) AccountByEmail(ctx context.Context, emailKey string) (identity.Account, error) {
	row, err := r.q.GetAccountByEmailKey(ctx, emailKey)
	return identity.Account(row), err
}

func (r records) LockAccount(ctx context.Context, id uuid.UUID) (identity.Account, error) {
	row, err := r.q.LockAccount(ctx, id)
	return identity.Account(row), err
}

func (r records) ShareAccount(ctx context.Context, id uuid.UUID) (identity.Account, error) {
	row, err := r.q.ShareAccount(ctx, id)
	return identity.Account(row), err
}

func (r records) MarkVerified(ctx context.Context, id uuid.UUID, at time.Time) error {
	return r.q.MarkAccountVerified(ctx, db.MarkAccountVerifiedParams{ID: id, At: at})
}

func (r records) Rename(ctx context.Context, id uuid.UUID, fullName string, at time.Time) error {
	return r.q.SetAccountName(ctx, db.SetAccountNameParams{ID: id, FullName: fullName, At: at})
}

func (r records) NextGeneration(ctx context.Context, id uuid.UUID) (int64, error) {
	return r.q.NextGeneration(ctx, id)
}

func (r records) ClaimVerificationMail(ctx context.Context, id uuid.UUID, at, before time.Time) (bool, error) {
	_, err := r.q.ClaimVerificationMail(ctx, db.ClaimVerificationMailParams{ID: id, At: at, Before: &before})
	return found(err)
}

func (r records) ClaimResetMail(ctx context.Context, id uuid.UUID, at, before time.Time) (bool, error) {
	_, err := r.q.ClaimResetMail(ctx, db.ClaimResetMailParams{ID: id, At: at, Before: &before})
	return found(err)
}

func (r records) Password(ctx context.Context, account uuid.UUID) (identity.Password, error) {
	row, err := r.q.GetPassword(ctx, account)
	_, err = found(err)
	return identity.Password(row), err
}

func (r records) SetPassword(ctx context.Context, account uuid.UUID, hash string, at time.Time) error {
	return r.q.SetPassword(ctx, db.SetPasswordParams{AccountID: account, Hash: hash, ChangedAt: at})
}

func (r records) Rehash(ctx context.Context, account uuid.UUID, oldHash, newHash string) error {
	_, err := r.q.RehashPassword(ctx, db.RehashPasswordParams{AccountID: account, OldHash: oldHash, Hash: newHash})
	return err
}

func (r records) DropPassword(ctx context.Context, account uuid.UUID) error {
	return r.q.DeletePassword(ctx, account)
}

func (r records) RolesOf(ctx context.Context, account uuid.UUID) ([]identity.Role, error) {
	rows, err := r.q.ListAccountRoles(ctx, account)
	return rolesOf(rows), err
}

func (r records) ShareRoles(ctx context.Context, names []string) ([]identity.Role, error) {
	rows, err := r.q.ShareRoles(ctx, db.ShareRolesParams{OrgID: identity.Org, Names: names})
	return rolesOf(rows), err
}

func (r records) AddRoles(ctx context.Context, account uuid.UUID, names []string, by string, at time.Time) error {
	return meaning(r.q.AddAccountRoles(ctx, db.AddAccountRolesParams{
		AccountID: account, OrgID: identity.Org, Roles: names, AssignedBy: by, At: at,
	}))
}

func rolesOf(rows []db.Role) []identity.Role {
	out := make([]identity.Role, len(rows))
	for i, row := range rows {
		out[i] = identity.Role(row)
	}
	return out
}
