package sessions

import (
	"context"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/revocation"
)

// Revoke implements [api.RevokeSession].
func (s *Service) Revoke(ctx context.Context, in *api.RevokeSessionRequest) (*struct{}, error) {
	who, err := identity.CallerFrom(ctx)
	if err != nil {
		return nil, err
	}
	return nil, s.revoke(ctx, ending{account: who.Account, reason: revocation.ReasonRevoked, by: who.Account.String()}, in.ID)
}

// RevokeOf implements [api.RevokeUserSession].
func (s *Service) RevokeOf(ctx context.Context, in *api.RevokeUserSessionRequest) (*struct{}, error) {
	account, err := userID(in.ID)
	if err != nil {
		return nil, err
	}
	return nil, s.revoke(ctx, ending{account: account, reason: revocation.ReasonRevoked, ask: s.over}, in.SessionID)
}

// RevokeAllOf implements [api.RevokeUserSessions].
func (s *Service) RevokeAllOf(ctx context.Context, in *api.RevokeUserSessionsRequest) (*struct{}, error) {
	account, err := userID(in.ID)
	if err != nil {
		return nil, err
	}
	return nil, s.endAll(ctx, ending{account: account, reason: revocation.ReasonRevoked, ask: s.over})
}

func (s *Service) revoke(ctx context.Context, e ending, session string) error {
	id, err := uuid.Parse(session)
	if err != nil {
		return errs.New(errs.NotFound, "session_not_found", "There is no such session.").WithCause(err)
	}
	return s.end(ctx, e, id)
}

// over asks the rule for acting on another account, and says who does it.
func (s *Service) over(ctx context.Context, tx identity.Tx, account uuid.UUID) (by string, err error) {
	c, err := s.Rule.Over(ctx, tx, api.VerbEndSessions, account)
	return c.Caller.Subject, err
}
