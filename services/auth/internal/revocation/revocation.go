// Package revocation owns ending sessions: their refresh tokens stop working, and their access tokens are refused by every verifier at
// once.
package revocation

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

// The reasons that sessions end for.
const (
	ReasonSignOut     = "signed_out"
	ReasonRevoked     = "revoked"
	ReasonPassword    = "password_changed"
	ReasonCompromised = "refresh_token_reused"
	ReasonNotMe       = "not_me"
	ReasonDisabled    = "account_disabled"
	ReasonDisowned    = "registration_disowned"
	ReasonTooMany     = "too_many_sessions"
)

// leeway is how much longer than its life an access token may be good for a verifier whose clock is behind.
const leeway = time.Minute

// Ender ends sessions.
type Ender struct{ keep time.Duration }

// NewEnder makes an Ender of sessions whose access tokens live for accessTTL.
func NewEnder(accessTTL time.Duration) Ender { return Ender{keep: accessTTL + leeway} }

// Keep is how long a revocation must be remembered.
func (e Ender) Keep() time.Duration { return e.keep }

// One ends a session of an account. It is errs.NotFound "session_not_found" when there is no such open session.
func (e Ender) One(ctx context.Context, tx identity.Tx, account, session uuid.UUID, reason string, at time.Time) error {
	_, err := tx.EndSession(ctx, account, session, reason, at)
	if errors.Is(err, errs.NotFound) {
		return errs.New(errs.NotFound, "session_not_found", "There is no such session.").WithCause(err)
	}
	if err != nil {
		return err
	}
	return tx.RaiseSessions(ctx, []uuid.UUID{session}, at, e.keep)
}

// oneByOne is how many sessions are revoked each by itself, at most. It bounds what one request writes, and what every verifier hears and
// remembers, whatever number of sessions somebody has made.
const oneByOne = 32

// All ends every session of an account and voids every token of it. The caller holds LockAccount.
func (e Ender) All(ctx context.Context, tx identity.Tx, account uuid.UUID, reason string, at time.Time) error {
	if _, err := tx.EndSessions(ctx, account, identity.Ending{Reason: reason, At: at}); err != nil {
		return err
	}
	return tx.RaiseUser(ctx, account, at, e.keep)
}

// Others ends every session of an account but one. The caller holds LockAccount. When more than a few of the others may have a living access
// token, all tokens of the account are void, that of the one that goes on as well: it gets the next with its refresh token.
func (e Ender) Others(ctx context.Context, tx identity.Tx, account, keep uuid.UUID, reason string, at time.Time) error {
	alive, err := tx.EndSessions(ctx, account, identity.Ending{
		Keep:   &keep,
		Reason: reason,
		At:     at,
		Since:  at.Add(-e.keep),
		Most:   oneByOne + 1,
	})
	switch {
	case err != nil || len(alive) == 0:
		return err
	case len(alive) > oneByOne:
		return tx.RaiseUser(ctx, account, at, e.keep)
	default:
		return tx.RaiseSessions(ctx, alive, at, e.keep)
	}
}

// Beyond ends the sessions of an account that are more than most, those first that were used longest ago, and says how many it ended. Keep is
// the new one, which counts. What is left over ends at the next sign-ins, each of which ends more than it makes.
func (e Ender) Beyond(ctx context.Context, tx identity.Tx, account, keep uuid.UUID, most int, at time.Time) (int, error) {
	ended, err := tx.EndSessionsBeyond(ctx, account, int32(min(most-1, math.MaxInt32)), identity.Ending{ //nolint:gosec // bounded
		Keep:   &keep,
		Reason: ReasonTooMany,
		At:     at,
		Most:   oneByOne,
	})
	if err != nil || len(ended) == 0 {
		return 0, err
	}
	return len(ended), tx.RaiseSessions(ctx, ended, at, e.keep)
}
