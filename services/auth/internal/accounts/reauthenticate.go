package accounts

import (
	"context"
	"errors"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

// Reauthenticate implements [api.Reauthenticate]. A session that was stolen does not have the password, so that what asks for a fresh
// proof stays out of a thief's reach.
func (s *Service) Reauthenticate(ctx context.Context, in *api.ReauthenticateRequest) (*struct{}, error) {
	who, err := identity.CallerFrom(ctx)
	if err != nil {
		return nil, err
	}
	account, err := s.Store.Account(ctx, who.Account)
	if err != nil {
		return nil, err
	}
	known, err := s.confirm(ctx, account, in.Body.Password, audit.SessionProved)
	if err != nil {
		return nil, err
	}
	return nil, s.Store.InTx(ctx, func(tx identity.Tx) error { return s.prove(ctx, tx, who, known) })
}

// prove notes the proof on the session, as long as the confirmed password is still the present one: whoever was given another password
// meanwhile has proved nothing.
func (s *Service) prove(ctx context.Context, tx identity.Tx, who identity.Caller, confirmed identity.Password) error {
	account, err := tx.ShareAccount(ctx, who.Account)
	if err != nil {
		return err
	}
	present, err := tx.Password(ctx, who.Account)
	if err != nil {
		return err
	}
	if !account.Active() || !present.Same(confirmed) {
		return errWrongPassword()
	}
	now := s.Clock()
	if err := tx.ProveSession(ctx, who.Account, who.Session, now); err != nil {
		return sessionEnded(err)
	}
	entry, err := audit.New(ctx, now, audit.SessionProved, who.Account.String())
	if err != nil {
		return err
	}
	return tx.WriteAudit(ctx, entry.With("session_id", who.Session))
}

// sessionEnded answers a token whose session was ended since the token was verified.
func sessionEnded(err error) error {
	if errors.Is(err, errs.NotFound) {
		return errs.New(errs.Unauthenticated, token.CodeRevoked, "The session has ended; sign in again.").WithCause(err)
	}
	return err
}
