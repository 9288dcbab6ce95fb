package sessions

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/revocation"
	"github.com/atrium-mesh/atrium/services/auth/internal/tokens"
)

// Logout implements [api.Logout].
func (s *Service) Logout(ctx context.Context, in *api.LogoutRequest) (*api.SignedOutResponse, error) {
	who, err := s.leaving(ctx, in)
	if err != nil {
		return nil, err
	}
	if who.Session != uuid.Nil {
		err = s.end(events.WithActor(ctx, identity.Org, who.Account.String()), who.Account, who.Session, revocation.ReasonSignOut, who.Account.String())
		if err != nil && !errors.Is(err, errs.NotFound) { // signed out already is signed out
			return nil, err
		}
	}
	return &api.SignedOutResponse{SetCookie: noCookies()}, nil
}

// leaving is whose session shall end: that of the access token, or else of the refresh token. It is zero for a refresh token that is
// worth nothing any more.
func (s *Service) leaving(ctx context.Context, in *api.LogoutRequest) (identity.Caller, error) {
	text, _ := presented(in.Body, in.Cookie)
	if authz.PrincipalFrom(ctx) != nil || text == "" {
		return identity.CallerFrom(ctx)
	}
	token, ok := tokens.ParseRefresh(text)
	if !ok {
		return identity.Caller{}, nil
	}
	found, err := s.Store.FindRefreshToken(ctx, token.Hash())
	if errors.Is(err, errs.NotFound) {
		return identity.Caller{}, nil
	}
	return identity.Caller{Account: found.AccountID, Session: found.SessionID}, err
}

// LogoutAll implements [api.LogoutAll].
func (s *Service) LogoutAll(ctx context.Context, _ *struct{}) (*api.SignedOutResponse, error) {
	who, err := identity.CallerFrom(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.endAll(ctx, who.Account, revocation.ReasonSignOut); err != nil {
		return nil, err
	}
	return &api.SignedOutResponse{SetCookie: noCookies()}, nil
}

// end ends one session. It is errs.NotFound when the account has no such open session.
func (s *Service) end(ctx context.Context, account, session uuid.UUID, reason, actor string) error {
	return s.Store.InTx(ctx, func(tx identity.Tx) error {
		now := s.Clock()
		if err := s.Ender.One(ctx, tx, account, session, reason, now); err != nil {
			return err
		}
		entry, err := audit.New(ctx, now, audit.SessionEnded, account.String())
		if err != nil {
			return err
		}
		return tx.WriteAudit(ctx, entry.By(actor).With("session_id", session).With("reason", reason))
	})
}

// endAll ends every session of an account. It is errs.NotFound when there is no such account.
func (s *Service) endAll(ctx context.Context, account uuid.UUID, reason string) error {
	err := s.Store.InTx(ctx, func(tx identity.Tx) error {
		if _, err := tx.LockAccount(ctx, account); err != nil {
			return err
		}
		now := s.Clock()
		if err := s.Ender.All(ctx, tx, account, reason, now); err != nil {
			return err
		}
		entry, err := audit.New(ctx, now, audit.SessionsEnded, account.String())
		if err != nil {
			return err
		}
		return tx.WriteAudit(ctx, entry.With("reason", reason))
	})
	return userNotFound(err)
}

func userNotFound(err error) error {
	if errors.Is(err, errs.NotFound) {
		return errs.New(errs.NotFound, "user_not_found", "There is no such user.").WithCause(err)
	}
	return err
}
