package authority

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

// Tx is what the rule reads, and locks, in the transaction of whoever asks.
type Tx interface {
	LockAccount(ctx context.Context, id uuid.UUID) (identity.Account, error)
	ShareAccount(ctx context.Context, id uuid.UUID) (identity.Account, error)
	RolesOf(ctx context.Context, account uuid.UUID) ([]identity.Role, error)
	identity.Administration
}

// Config is what it means to be able to sign in.
type Config struct {
	VerifiedOnly bool // whether an address must be proved before
}

// Rule decides. It is a value without state.
type Rule struct{ cfg Config }

// New makes the rule.
func New(cfg Config) Rule { return Rule{cfg: cfg} }

// Over decides whether the caller may do something to an account. It returns who they are; the target's account is locked, and the caller's
// is held as it is, until the transaction ends. It is to be asked first in a transaction, before anything else is locked.
//
// errs.Unauthenticated for no caller, or one who is kept out; errs.NotFound "user_not_found"; errs.Forbidden "permission_denied" and
// "stronger_target"; errs.Conflict "own_administration" and "last_admin".
func (r Rule) Over(ctx context.Context, tx Tx, verb api.Verb, target uuid.UUID) (Case, error) {
	c := Case{Verb: verb}
	held, caller, err := r.gather(ctx, tx, []uuid.UUID{target})
	if err != nil {
		return c, err
	}
	account, found := held[target]
	if !found {
		return c, errNoSuchUser()
	}
	roles, err := tx.RolesOf(ctx, target)
	if err != nil {
		return c, err
	}
	c.Caller, c.Target = caller, Holder{Account: account, Roles: roles, Permissions: identity.Permissions(roles)}
	if err := Decide(c); err != nil {
		return c, err
	}
	if rules()[verb].unseats {
		return c, r.AnotherAdmin(ctx, tx, c.Target)
	}
	return c, nil
}

// Caller is who is calling and what they may do. Their account is held as it is until the transaction ends.
func (r Rule) Caller(ctx context.Context, tx Tx) (Holder, error) { return r.Among(ctx, tx, nil) }

// Among is Caller for what is done to many accounts: it locks them, and holds the caller's, in the order of their ids. An account that is
// not there is passed over.
func (r Rule) Among(ctx context.Context, tx Tx, targets []uuid.UUID) (Holder, error) {
	_, caller, err := r.gather(ctx, tx, targets)
	return caller, err
}

// gather locks the targets and holds the caller. It returns the accounts that there are, and what the caller may do now.
func (r Rule) gather(ctx context.Context, tx Tx, targets []uuid.UUID) (map[uuid.UUID]identity.Account, Holder, error) {
	who, id, err := principal(ctx)
	if err != nil {
		return nil, Holder{}, err
	}
	held, err := hold(ctx, tx, id, targets)
	if err != nil {
		return nil, Holder{}, err
	}
	if id == uuid.Nil {
		return held, Holder{External: true, Subject: who.Subject, Permissions: who.Permissions}, nil
	}
	caller := Holder{Account: held[id], Subject: who.Subject}
	if !caller.Account.Active() { // or it does not exist: a watermark is about to void the token
		return held, caller, errRevoked()
	}
	if caller.Roles, err = tx.RolesOf(ctx, id); err != nil {
		return held, caller, err
	}
	now := identity.Permissions(caller.Roles)
	caller.Permissions = slices.DeleteFunc(now, func(p string) bool { return !who.Can(p) })
	return held, caller, nil
}

// hold locks the targets and holds the caller, by id.
func hold(ctx context.Context, tx Tx, caller uuid.UUID, targets []uuid.UUID) (map[uuid.UUID]identity.Account, error) {
	locks := make(map[uuid.UUID]bool, len(targets)+1) // whether nobody else may hold it meanwhile
	if caller != uuid.Nil {
		locks[caller] = false // several may act on others at the same time, and nobody on them
	}
	for _, target := range targets {
		locks[target] = true
	}
	held := make(map[uuid.UUID]identity.Account, len(locks))
	for _, id := range slices.SortedFunc(maps.Keys(locks), func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }) {
		read := tx.ShareAccount
		if locks[id] {
			read = tx.LockAccount
		}
		account, err := read(ctx, id)
		if errors.Is(err, errs.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		held[id] = account
	}
	return held, nil
}

// principal is whose token it is, and the account behind it: uuid.Nil for a token of a further issuer, whose permissions the configuration
// of the mesh allows.
func principal(ctx context.Context) (*authz.Principal, uuid.UUID, error) {
	who := authz.PrincipalFrom(ctx)
	if who == nil {
		return nil, uuid.Nil, errs.New(errs.Unauthenticated, token.CodeMissing, "Sign in first: this needs an access token.")
	}
	if who.Type == token.TypeExternal {
		return who, uuid.Nil, nil
	}
	id, err := uuid.Parse(who.Subject)
	if err != nil || id == uuid.Nil {
		return nil, uuid.Nil, errs.New(errs.Forbidden, "not_an_account", "This token does not belong to an account here.")
	}
	return who, id, nil
}

// HoldAdministration makes whoever would take the last administrator away wait until the transaction ends, when the account is an
// administrator's. It is for what keeps somebody from signing in and is never refused: the owner of the mailbox says that somebody else was
// there. The caller holds LockAccount.
func (r Rule) HoldAdministration(ctx context.Context, tx Tx, account uuid.UUID) error {
	roles, err := tx.RolesOf(ctx, account)
	if err != nil || !(Holder{Roles: roles}).Administers() {
		return err
	}
	_, err = tx.LockRole(ctx, api.RoleAdmin)
	return err
}

// AnotherAdmin refuses to take away the last administrator who can sign in. Its lock makes whatever could do so come one after the other;
// it is taken after those of accounts.
func (r Rule) AnotherAdmin(ctx context.Context, tx Tx, target Holder) error {
	if !target.Administers() || !target.Account.Active() {
		return nil
	}
	if _, err := tx.LockRole(ctx, api.RoleAdmin); err != nil {
		return err
	}
	another, err := tx.HasOtherMember(ctx, api.RoleAdmin, target.Account.ID, r.cfg.VerifiedOnly)
	if err != nil {
		return err
	}
	if !another {
		return errs.New(errs.Conflict, "last_admin", "Nobody would be an administrator any more. Make somebody else one first.")
	}
	return nil
}
