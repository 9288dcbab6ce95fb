package sessions

import (
	"context"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/revocation"
)

// Revoke implements [api.RevokeSession].
func (s *Service) Revoke(ctx context.Context, in *api.RevokeSessionRequest) (*struct{}, error) {
	who, err := identity.CallerFrom(ctx)
	if err != nil {
		return nil, err
	}
	return s.revoke(ctx, who.Account, in.ID)
}

// RevokeOf implements [api.RevokeUserSession].
func (s *Service) RevokeOf(ctx context.Context, in *api.RevokeUserSessionRequest) (*struct{}, error) {
	account, err := userID(in.ID)
	if err != nil {
		return nil, err
	}
	return s.revoke(ctx, account, in.SessionID)
}

// RevokeAllOf implements [api.RevokeUserSessions].
func (s *Service) RevokeAllOf(ctx context.Context, in *api.RevokeUserSessionsRequest) (*struct{}, error) {
	account, err := userID(in.ID)
	if err != nil {
		return nil, err
	}
	return nil, s.endAll(ctx, account, revocation.ReasonRevoked)
}

func (s *Service) revoke(ctx context.Context, account uuid.UUID, session string) (*struct{}, error) {
	id, err := uuid.Parse(session)
	if err != nil {
		return nil, errs.New(errs.NotFound, "session_not_found", "There is no such session.").WithCause(err)
	}
	return nil, s.end(ctx, account, id, revocation.ReasonRevoked, actor(ctx))
}

func actor(ctx context.Context) string {
	if who := authz.PrincipalFrom(ctx); who != nil {
		return who.Subject
	}
	return audit.System
}
