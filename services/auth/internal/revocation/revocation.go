// Package revocation owns ending sessions: their refresh tokens stop working, and their access tokens are refused by every verifier at
// once.
package revocation

import (
	"context"
	"errors"
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
	return tx.RaiseSession(ctx, session, at, e.keep)
}

// All ends every session of an account and voids every token of it. The caller holds LockAccount.
func (e Ender) All(ctx context.Context, tx identity.Tx, account uuid.UUID, reason string, at time.Time) error {
	if _, err := tx.EndSessions(ctx, account, nil, reason, at); err != nil {
		return err
	}
	return tx.RaiseUser(ctx, account, at, e.keep)
}

// Others ends every session of an account but one. The caller holds LockAccount.
func (e Ender) Others(ctx context.Context, tx identity.Tx, account, keep uuid.UUID, reason string, at time.Time) error {
	ended, err := tx.EndSessions(ctx, account, &keep, reason, at)
	if err != nil {
		return err
	}
	for _, session := range ended {
		if err := tx.RaiseSession(ctx, session, at, e.keep); err != nil {
			return err
		}
	}
	return nil
}
