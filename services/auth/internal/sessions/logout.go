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
	if err := s.leave(ctx, who); err != nil {
		return nil, err
	}
	return &api.SignedOutResponse{SetCookie: noCookies()}, nil
}

// leave ends a session for who holds it; no session, and one that has ended already, are fine.
func (s *Service) leave(ctx context.Context, who identity.Caller) error {
	if who.Session == uuid.Nil {
		return nil
	}
	leaves := ending{account: who.Account, reason: revocation.ReasonSignOut, by: who.Account.String()}
	err := s.end(events.WithActor(ctx, identity.Org, leaves.by), leaves, who.Session)
	if errors.Is(err, errs.NotFound) {
		return nil
	}
	return err
}

// leaving is whose session shall end: that of the access token, or else of the refresh token.
func (s *Service) leaving(ctx context.Context, in *api.LogoutRequest) (identity.Caller, error) {
	text, _ := refreshTokenOf(in.Body, in.Cookie)
	if authz.PrincipalFrom(ctx) != nil || text == "" {
		return identity.CallerFrom(ctx)
	}
	return s.holder(ctx, text)
}

// holder is whose session a refresh token is of. It is zero for a token that is worth nothing any more.
func (s *Service) holder(ctx context.Context, text string) (identity.Caller, error) {
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
	if err := s.endAll(ctx, ending{account: who.Account, reason: revocation.ReasonSignOut, by: who.Account.String()}); err != nil {
		return nil, err
	}
	return &api.SignedOutResponse{SetCookie: noCookies()}, nil
}

// ending is whose sessions end, why, and by whom; ask says the latter of somebody who may not be the owner, or refuses.
type ending struct {
	account uuid.UUID
	reason  string
	by      string
	ask     func(ctx context.Context, tx identity.Tx, account uuid.UUID) (by string, err error) // nil: they are the caller's own
}

// allowed asks who does it, in the transaction that does it.
func (e ending) allowed(ctx context.Context, tx identity.Tx) (ending, error) {
	if e.ask == nil {
		return e, nil
	}
	var err error
	e.by, err = e.ask(ctx, tx, e.account)
	return e, err
}

// end ends one session. It is errs.NotFound when the account has no such open session.
func (s *Service) end(ctx context.Context, e ending, session uuid.UUID) error {
	return s.Store.InTx(ctx, func(tx identity.Tx) error {
		e, err := e.allowed(ctx, tx)
		if err != nil {
			return err
		}
		now := s.Clock()
		if err := s.Ender.One(ctx, tx, e.account, session, e.reason, now); err != nil {
			return err
		}
		entry, err := audit.New(ctx, now, audit.SessionEnded, e.account.String())
		if err != nil {
			return err
		}
		return tx.WriteAudit(ctx, entry.By(e.by).With("session_id", session).With("reason", e.reason))
	})
}

// endAll ends every session of an account. It is errs.NotFound when there is no such account.
func (s *Service) endAll(ctx context.Context, e ending) error {
	err := s.Store.InTx(ctx, func(tx identity.Tx) error {
		e, err := e.allowed(ctx, tx)
		if err != nil {
			return err
		}
		if _, err := tx.LockAccount(ctx, e.account); err != nil {
			return err
		}
		now := s.Clock()
		if err := s.Ender.All(ctx, tx, e.account, e.reason, now); err != nil {
			return err
		}
		entry, err := audit.New(ctx, now, audit.SessionsEnded, e.account.String())
		if err != nil {
			return err
		}
		return tx.WriteAudit(ctx, entry.By(e.by).With("reason", e.reason))
	})
	return userNotFound(err)
}

func userNotFound(err error) error {
	if errors.Is(err, errs.NotFound) {
		return errs.New(errs.NotFound, "user_not_found", "There is no such user.").WithCause(err)
	}
	return err
}
