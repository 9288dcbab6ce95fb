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
	text, cookies := presented(in.Body, in.Cookie)
	made, err := s.refresh(ctx, text)
	if err != nil {
		return nil, err
	}
	return s.answer(made, cookies), nil
}

// presented is the refresh token of a request, and whether it came in the cookie.
func presented(body *api.RefreshTokenBody, cookie string) (text string, fromCookie bool) {
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
	return s.issue(ctx, r.grant, r.child)
}

// rotation is what became of a refresh token.
type rotation struct {
	verdict verdict
	grant   tokens.Grant
	child   tokens.Refresh
}

// rotate decides on a refresh token while it holds the account and the session, so that of two requests with the same token the second
// finds the successor of the first.
func (s *Service) rotate(ctx context.Context, tx identity.Tx, found identity.FoundToken, parent tokens.Refresh) (rotation, error) {
	account, err := tx.ShareAccount(ctx, found.AccountID)
	if err != nil {
		return rotation{}, err
	}
	session, err := tx.LockSession(ctx, found.SessionID)
	if err != nil {
		return rotation{}, err
	}
	stored, err := tx.RefreshToken(ctx, found.ID)
	if err != nil {
		return rotation{}, err
	}
	now := s.Clock()
	r := rotation{verdict: judge(account, session, stored, now, s.Grace)}
	switch r.verdict {
	case rotates:
		r.child, err = s.succeed(ctx, tx, parent, session, now)
	case repeats:
		r.child = s.Family.Successor(parent, *stored.ChildID)
	case stolen:
		return r, s.compromise(ctx, tx, session, now)
	default:
		return r, nil
	}
	if err != nil {
		return r, err
	}
	if r.grant, err = grantOf(ctx, tx, account, session.ID, now); err != nil {
		return r, err
	}
	return r, tx.TouchSession(ctx, s.touched(ctx, session, now, r.grant.At))
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
		ID: id, SessionID: session.ID, Hash: child.Hash(), ParentID: &parent.ID, CreatedAt: now, ExpiresAt: now.Add(s.RefreshTTL),
	})
}

// touched is the session after it was used by the request in ctx.
func (s *Service) touched(ctx context.Context, session identity.Session, now, issuedAt time.Time) identity.Session {
	session.LastSeenAt, session.IssuedAt, session.ExpiresAt = now, issuedAt, now.Add(s.RefreshTTL)
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
