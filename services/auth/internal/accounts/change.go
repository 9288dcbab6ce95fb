package accounts

import (
	"context"
	"errors"
	"time"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/password"
	"github.com/atrium-mesh/atrium/services/auth/internal/revocation"
)

// ChangePassword implements [api.ChangePassword].
func (s *Service) ChangePassword(ctx context.Context, in *api.ChangePasswordRequest) (*struct{}, error) {
	who, err := identity.CallerFrom(ctx)
	if err != nil {
		return nil, err
	}
	account, err := s.Store.Account(ctx, who.Account)
	if err != nil {
		return nil, err
	}
	owner := password.Person{Email: account.Email, FullName: account.FullName}
	if err := s.Policy.Choose(ctx, "body.new_password", in.Body.NewPassword, owner); err != nil {
		return nil, err
	}
	known, err := s.confirm(ctx, account, in.Body.CurrentPassword, audit.PasswordChanged)
	if err != nil {
		return nil, err
	}
	hash, err := s.Passwords.Hash(ctx, in.Body.NewPassword)
	if err != nil {
		return nil, err
	}
	return nil, s.Store.InTx(ctx, func(tx identity.Tx) error { return s.replacePassword(ctx, tx, who, known, hash) })
}

// confirm verifies the present password, and counts wrong ones: neither a stolen session nor a stolen link must be a way to guess it. A
// wrong one is in the audit trail as a failed action.
func (s *Service) confirm(ctx context.Context, account identity.Account, current, action string) (identity.Password, error) {
	asked := attemptOf(ctx, account)
	asked.Action, asked.Mailed = action, action == audit.AccountVerified
	asked.SignedIn = !asked.Mailed
	attempt, err := s.Throttle.Begin(ctx, asked)
	if err != nil {
		return identity.Password{}, err
	}
	known, err := s.Store.Password(ctx, account.ID)
	if err != nil {
		return known, errors.Join(err, attempt.Release(ctx))
	}
	result, err := s.Passwords.Verify(ctx, current, known.Hash)
	if err != nil {
		return known, errors.Join(err, attempt.Release(context.WithoutCancel(ctx)))
	}
	if !result.OK {
		return known, s.wrongPassword(ctx, account, action)
	}
	return known, attempt.Succeed(ctx)
}

func (s *Service) wrongPassword(ctx context.Context, account identity.Account, action string) error {
	entry, err := audit.New(ctx, s.Clock(), action, account.ID.String())
	if err != nil {
		return err
	}
	if err := s.Store.InTx(ctx, func(tx identity.Tx) error { return tx.WriteAudit(ctx, entry.Failed()) }); err != nil {
		return err
	}
	return errWrongPassword()
}

// replacePassword sets another password, as long as the confirmed one is still the present one, and ends every session but the caller's.
func (s *Service) replacePassword(ctx context.Context, tx identity.Tx, who identity.Caller, confirmed identity.Password, hash string) error {
	if _, err := tx.LockAccount(ctx, who.Account); err != nil {
		return err
	}
	present, err := tx.Password(ctx, who.Account)
	if err != nil {
		return err
	}
	if !present.Same(confirmed) {
		return errWrongPassword()
	}
	now := s.Clock()
	if !now.After(present.ChangedAt) { // Same goes by the time, so that it has to pass
		now = present.ChangedAt.Add(time.Microsecond)
	}
	if err := tx.SetPassword(ctx, who.Account, hash, now); err != nil {
		return err
	}
	if err := tx.ProveSession(ctx, who.Account, who.Session, now); err != nil { // the current password is a proof, too
		return sessionEnded(err)
	}
	if _, err := s.Ender.Close(ctx, tx, who.Account, revocation.Closing{
		Reason: revocation.ReasonPassword,
		At:     now,
		Keep:   who.Session,
	}); err != nil {
		return err
	}
	entry, err := audit.New(ctx, now, audit.PasswordChanged, who.Account.String())
	if err != nil {
		return err
	}
	return passwordChanged(ctx, tx, who.Account, "change", entry)
}

func errWrongPassword() error {
	return errs.New(errs.Forbidden, "wrong_password", "The password is wrong.")
}
