package sessions

import (
	"context"
	"errors"
	"time"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/devices"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/revocation"
	"github.com/atrium-mesh/atrium/services/auth/internal/tokens"
)

// Refresh implements [api.Refresh].
func (s *Service) Refresh(ctx context.Context, in *api.RefreshRequest) (*api.TokensResponse, error) {
	text, cookies := refreshTokenOf(in.Body, in.Cookie)
	made, err := s.refresh(ctx, text)
	if err != nil {
		return nil, err
	}
	return s.answer(made, cookies), nil
}

// refreshTokenOf is the refresh token of a request, and whether it came in the cookie.
func refreshTokenOf(body *api.RefreshTokenBody, cookie string) (text string, fromCookie bool) {
	if body != nil && body.RefreshToken != "" {
		return body.RefreshToken, false
	}
	return cookie, cookie != ""
}

// refresh trades a refresh token for new tokens. It never waits for a password to be hashed.
func (s *Service) refresh(ctx context.Context, text string) (issued, error) {
	parent, ok := tokens.ParseRefresh(text)
	if !ok {
		return issued{}, errRefreshInvalid()
	}
	found, err := s.Store.FindRefreshToken(ctx, parent.Hash())
	if errors.Is(err, errs.NotFound) {
		return issued{}, errRefreshInvalid()
	}
	if err != nil {
		return issued{}, err
	}
	ctx = events.WithActor(ctx, identity.Org, found.AccountID.String())
	var r rotation
	err = s.Store.InTx(ctx, func(tx identity.Tx) error {
		r, err = s.rotate(ctx, tx, found, parent)
		return err
	})
	switch {
	case errors.Is(err, errs.NotFound): // removed since it was found
		return issued{}, errRefreshInvalid()
	case err != nil:
		return issued{}, err
	case r.verdict == refused:
		return issued{}, errRefreshInvalid()
	case r.verdict == stolen:
		return issued{}, errRefreshReused()
	}
	return s.issue(ctx, r.grant, r.child, r.session)
}

// rotation is what became of a refresh token.
type rotation struct {
	verdict verdict
	grant   tokens.Grant
	child   tokens.Refresh
	session identity.Session
}

// rotate decides on a refresh token while it holds the account and the session, so that of two requests with the same token the second
// finds the successor of the first.
func (s *Service) rotate(ctx context.Context, tx identity.Tx, found identity.FoundToken, parent tokens.Refresh) (rotation, error) {
	p, err := look(ctx, tx, found)
	if err != nil {
		return rotation{}, err
	}
	now := s.Clock()
	r := rotation{verdict: s.judge(p, now)}
	switch r.verdict {
	case rotates:
		r.child, err = s.succeed(ctx, tx, parent, p.session, now)
	case repeats:
		r.child = s.Family.Successor(parent, p.successor.ID)
	case stolen:
		return r, s.compromise(ctx, tx, p.session, now)
	default:
		return r, nil
	}
	if err != nil {
		return r, err
	}
	r.session = s.touched(ctx, p.session, now)
	if r.verdict == repeats {
		r.session.ExpiresAt = p.session.ExpiresAt // as that of the successor, which was made before
	}
	if r.grant, err = grantOf(ctx, tx, p.account, r.session, now); err != nil {
		return r, err
	}
	r.session.IssuedAt = r.grant.At
	return r, tx.TouchSession(ctx, r.session)
}

// look reads what is stored of a refresh token, and holds its session: whether its successor was used cannot change before the end.
func look(ctx context.Context, tx identity.Tx, found identity.FoundToken) (p presented, err error) {
	if p.account, err = tx.ShareAccount(ctx, found.AccountID); err != nil {
		return p, err
	}
	if p.session, err = tx.LockSession(ctx, found.SessionID); err != nil {
		return p, err
	}
	if p.token, err = tx.RefreshToken(ctx, found.ID); err != nil || p.token.ChildID == nil {
		return p, err
	}
	successor, err := tx.RefreshToken(ctx, *p.token.ChildID)
	if errors.Is(err, errs.NotFound) {
		return p, nil
	}
	p.successor = &successor
	return p, err
}

// succeed gives a refresh token its one successor.
func (s *Service) succeed(ctx context.Context, tx identity.Tx, parent tokens.Refresh, session identity.Session, now time.Time) (tokens.Refresh, error) {
	id, err := identity.NewID()
	if err != nil {
		return tokens.Refresh{}, err
	}
	child := s.Family.Successor(parent, id)
	if err := tx.UseRefreshToken(ctx, parent.ID, id, now); err != nil {
		return tokens.Refresh{}, err
	}
	return child, tx.AddRefreshToken(ctx, identity.RefreshToken{
		ID: id, SessionID: session.ID, Hash: child.Hash(), ParentID: &parent.ID, CreatedAt: now,
		ExpiresAt: s.until(session.CreatedAt, now),
	})
}

// touched is the session after it was used by the request in ctx.
func (s *Service) touched(ctx context.Context, session identity.Session, now time.Time) identity.Session {
	session.LastSeenAt, session.ExpiresAt = now, s.until(session.CreatedAt, now)
	from := request.From(ctx)
	if from.ClientIP != "" {
		session.IP = from.ClientIP
	}
	if from.UserAgent != "" {
		session.UserAgent, session.Device = from.UserAgent, devices.Name(from.UserAgent)
	}
	return session
}

// compromise ends a session whose refresh token somebody else has as well.
func (s *Service) compromise(ctx context.Context, tx identity.Tx, session identity.Session, now time.Time) error {
	if err := s.Ender.One(ctx, tx, session.AccountID, session.ID, revocation.ReasonCompromised, now); err != nil {
		return err
	}
	entry, err := audit.New(ctx, now, audit.SessionCompromised, session.AccountID.String())
	if err != nil {
		return err
	}
	if err := tx.WriteAudit(ctx, entry.By(audit.System).With("session_id", session.ID)); err != nil {
		return err
	}
	return identity.Publish(ctx, tx, api.SessionCompromised, session.AccountID, api.SessionCompromisedData{
		AccountID: session.AccountID, SessionID: session.ID, Device: entry.Device, IP: entry.IP, At: now.UTC(),
	})
}
