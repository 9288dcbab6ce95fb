package sessions

import (
	"context"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/page"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

// List implements [api.ListSessions].
func (s *Service) List(ctx context.Context, in *api.ListSessionsRequest) (*api.SessionsResponse, error) {
	who, err := identity.CallerFrom(ctx)
	if err != nil {
		return nil, err
	}
	return s.list(ctx, who.Account, in.Query)
}

// ListOf implements [api.ListUserSessions].
func (s *Service) ListOf(ctx context.Context, in *api.ListUserSessionsRequest) (*api.SessionsResponse, error) {
	account, err := userID(in.ID)
	if err != nil {
		return nil, err
	}
	if _, err := s.Store.Account(ctx, account); err != nil {
		return nil, userNotFound(err)
	}
	return s.list(ctx, account, in.Query)
}

func (s *Service) list(ctx context.Context, account uuid.UUID, q page.Query) (*api.SessionsResponse, error) {
	scope, now := "sessions:"+account.String(), s.Clock()
	open := identity.Open{Now: now, Since: now.Add(-s.MaxAge)}
	part := identity.Slice{Limit: q.Limit(), Offset: q.Offset()}
	if q.Cursor != "" {
		part.After = &identity.Position{}
		if err := s.Cursors.Decode(scope, q.Cursor, part.After); err != nil {
			return nil, err
		}
	}
	total, err := s.Store.CountOpenSessions(ctx, account, open)
	if err != nil {
		return nil, err
	}
	found, err := s.Store.OpenSessions(ctx, account, open, part)
	if err != nil {
		return nil, err
	}
	next := ""
	if len(found) == int(part.Limit) {
		last := found[len(found)-1]
		if next, err = s.Cursors.Encode(scope, identity.Position{At: last.LastSeenAt, ID: last.ID}); err != nil {
			return nil, err
		}
	}
	return &api.SessionsResponse{Body: page.New(q, s.shown(ctx, found), total, next)}, nil
}

// shown is sessions as their owner sees them.
func (s *Service) shown(ctx context.Context, found []identity.Session) []api.Session {
	current := ""
	if who := authz.PrincipalFrom(ctx); who != nil {
		current = who.SessionID
	}
	out := make([]api.Session, len(found))
	for i, f := range found {
		out[i] = api.Session{
			ID:         f.ID.String(),
			Device:     f.Device,
			IP:         f.IP,
			CreatedAt:  f.CreatedAt.UTC(),
			LastSeenAt: f.LastSeenAt.UTC(),
			ExpiresAt:  s.atMost(f.CreatedAt, f.ExpiresAt).UTC(), // a shorter lifetime may have been configured since
			Current:    f.ID.String() == current,
		}
	}
	return out
}

func userID(text string) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return id, errs.New(errs.NotFound, "user_not_found", "There is no such user.").WithCause(err)
	}
	return id, nil
}
