package standing

import (
	"context"
	"errors"
	"time"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/authority"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

// fresh refuses that somebody deletes themselves with a session whose person has not proved to be there lately. A deletion takes everything
// away, so a session that was stolen, or left open on a shared machine, is not enough for it. Everything else that one does to oneself
// is either proved by itself (another password needs the present one) or takes nothing away (signing out). A session that has ended
// proves nothing: its access token may still be on its way here while its owner signs it out somewhere else.
func (s *Service) fresh(ctx context.Context, tx Tx, c authority.Case) error {
	if c.Verb != api.VerbDelete || c.Caller.External || c.Caller.Account.ID != c.Target.Account.ID {
		return nil
	}
	who, err := identity.CallerFrom(ctx)
	if err != nil {
		return err
	}
	session, err := tx.LockSession(ctx, who.Session)
	if errors.Is(err, errs.NotFound) {
		return errStale()
	}
	if err != nil {
		return err
	}
	now := s.Clock()
	if session.AccountID != who.Account || !session.Open(now) || !proved(session, now, s.ProofMaxAge) {
		return errStale()
	}
	return nil
}

// proved reports whether the person of a session has proved to be there within an age. The proof may be of a replica whose clock is ahead.
func proved(session identity.Session, now time.Time, within time.Duration) bool {
	return now.Sub(session.ProvedAt()) < within
}

func errStale() error {
	return errs.New(errs.Forbidden, "reauthentication_required",
		"Give the password once more first, at POST /api/v1/auth/reauthenticate, or sign in anew.")
}
