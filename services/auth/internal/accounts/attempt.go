package accounts

import (
	"context"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/address"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

// attempted tells the owner of an address that somebody tried to sign up with it. Somebody who has signed up and not proved the address
// yet is most likely trying again, and gets the mail that it takes. The owner of an account that cannot be used would wait for a mail in vain.
func (s *Service) attempted(ctx context.Context, a address.Address) error {
	return s.askForMailIn(ctx, notErased, a.Key, func(ctx context.Context, tx identity.Tx, account identity.Account) error {
		if account.Active() && !account.Verified() {
			return s.requestVerification(ctx, tx, account)
		}
		return s.tellAttempt(ctx, tx, account)
	})
}

func (s *Service) tellAttempt(ctx context.Context, tx identity.Tx, account identity.Account) error {
	now := s.Clock()
	claimed, err := s.claimMail(ctx, tx, account, tx.ClaimResetMail, now) // the mail has a link to set another password
	if err != nil || !claimed {
		return err
	}
	entry, err := audit.New(ctx, now, audit.RegistrationAttempted, account.ID.String())
	if err != nil {
		return err
	}
	if err := tx.WriteAudit(ctx, entry.By(audit.System)); err != nil { // nobody knows who it was
		return err
	}
	return identity.Publish(ctx, tx, api.RegistrationAttempted, account.ID, api.RegistrationAttemptedData{
		AccountID:  account.ID,
		Device:     entry.Device,
		IP:         entry.IP,
		At:         now.UTC(),
		Generation: account.Generation,
		Closed:     !account.Active(),
	})
}

// askForMail runs fn for the account with this address, which it holds, when there is one that is in use.
func (s *Service) askForMail(ctx context.Context, key string, fn func(context.Context, identity.Tx, identity.Account) error) error {
	return s.askForMailIn(ctx, identity.Account.Active, key, fn)
}

// askForMailIn is askForMail for an account that stands in one of the ways that the mail is for.
func (s *Service) askForMailIn(
	ctx context.Context, stands func(identity.Account) bool, key string, fn func(context.Context, identity.Tx, identity.Account) error,
) error {
	account, err := s.Store.AccountByEmail(ctx, key)
	if errs.KindOf(err) == errs.NotFound {
		return nil
	}
	if err != nil || !stands(account) {
		return err
	}
	ctx = by(ctx, account.ID)
	return s.Store.InTx(ctx, func(tx identity.Tx) error {
		account, err := tx.LockAccount(ctx, account.ID) // again: its generation is what the mail is asked for under
		if err != nil || !stands(account) {
			return err
		}
		return fn(ctx, tx, account)
	})
}

func (s *Service) auditOwn(ctx context.Context, tx identity.Tx, action string, a identity.Account) error {
	entry, err := audit.New(ctx, s.Clock(), action, a.ID.String())
	if err != nil {
		return err
	}
	return tx.WriteAudit(ctx, entry.By(audit.System)) // nobody knows who asked
}
