package accounts

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/address"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

// NewAccount is an account that is made.
type NewAccount struct {
	ID           uuid.UUID // zero: a new one
	Address      address.Address
	FullName     string
	Locale       string
	Origin       api.Origin
	Roles        []string // empty: user
	PasswordHash string   // empty: an invitation will ask for one
	Verified     bool
	Unmailed     bool // no first mail: the mailbox has had enough for now
}

var actions = map[api.Origin]string{
	api.OriginSignUp: audit.AccountRegistered, api.OriginInvitation: audit.AccountInvited, api.OriginSetup: audit.AccountSetUp,
}

// Add makes an account with its password and roles, in tx, and tells of it. It is errs.Conflict "email_taken" or "id_taken", and
// errs.Invalid "unknown_role".
func Add(ctx context.Context, tx identity.Tx, n NewAccount, now time.Time) (identity.Account, error) {
	row, err := n.row(now)
	if err != nil {
		return identity.Account{}, err
	}
	account, err := tx.AddAccount(ctx, row)
	if err != nil {
		return account, err
	}
	if n.PasswordHash != "" {
		if err := tx.SetPassword(ctx, account.ID, n.PasswordHash, now); err != nil {
			return account, err
		}
	}
	entry, err := audit.New(ctx, now, actions[n.Origin], account.ID.String())
	if err != nil {
		return account, err
	}
	if n.Origin != api.OriginInvitation {
		entry = entry.By(account.ID.String())
	}
	roles := n.roles()
	if err := tx.AddRoles(ctx, account.ID, roles, entry.Actor, now); err != nil {
		return account, err
	}
	if err := tx.WriteAudit(ctx, entry.With("roles", roles)); err != nil {
		return account, err
	}
	return account, identity.Publish(ctx, tx, api.AccountRegistered, account.ID, api.AccountRegisteredData{
		AccountID: account.ID, Email: account.Email, FullName: account.FullName, Locale: account.Locale, Origin: n.Origin,
		Roles: roles, Verified: n.Verified, Unmailed: n.Unmailed, At: now.UTC(),
	})
}

func (n NewAccount) row(now time.Time) (identity.NewAccount, error) {
	row := identity.NewAccount{
		ID: n.ID, Email: n.Address.Typed, EmailKey: n.Address.Key, FullName: n.FullName, Locale: n.Locale, Origin: string(n.Origin), At: now,
	}
	switch {
	case n.Verified:
		row.VerifiedAt = &now
	case n.Origin == api.OriginSignUp:
		row.VerificationRequestedAt = &now
	}
	if row.ID != uuid.Nil {
		return row, nil
	}
	var err error
	row.ID, err = identity.NewID()
	return row, err
}

func (n NewAccount) roles() []string {
	if len(n.Roles) == 0 {
		return []string{api.RoleUser}
	}
	return slices.Compact(slices.Sorted(slices.Values(n.Roles)))
}
