package sessions

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/devices"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/tokens"
)

// start makes a session of the account whose password was verified, as long as it is still this password. A better hash replaces the
// one it was verified with.
func (s *Service) start(ctx context.Context, verified identity.Password, betterHash string) (issued, error) {
	ctx = events.WithActor(ctx, identity.Org, verified.AccountID.String())
	var grant tokens.Grant
	var refresh tokens.Refresh
	var session identity.Session
	err := s.Store.InTx(ctx, func(tx identity.Tx) error {
		account, err := s.stillValid(ctx, tx, verified)
		if err != nil {
			return err
		}
		if betterHash != "" {
			if err := tx.Rehash(ctx, account.ID, verified.Hash, betterHash); err != nil {
				return err
			}
		}
		if session, err = s.newSession(ctx, account.ID); err != nil {
			return err
		}
		if grant, err = grantOf(ctx, tx, account, session, session.CreatedAt); err != nil {
			return err
		}
		session.IssuedAt = grant.At
		if refresh, err = s.Family.First(); err != nil {
			return err
		}
		return s.saveNew(ctx, tx, session, refresh)
	})
	if err != nil {
		return issued{}, err
	}
	return s.issue(ctx, grant, refresh, session)
}

// stillValid holds the account so that nothing about it changes before the session is there.
func (s *Service) stillValid(ctx context.Context, tx identity.Tx, verified identity.Password) (identity.Account, error) {
	account, err := tx.ShareAccount(ctx, verified.AccountID)
	if errors.Is(err, errs.NotFound) {
		return account, errCredentials()
	}
	if err != nil {
		return account, err
	}
	now, err := tx.Password(ctx, account.ID)
	if err != nil {
		return account, err
	}
	if !account.Active() || !now.Same(verified) {
		return account, errCredentials()
	}
	return account, nil
}

func (s *Service) newSession(ctx context.Context, account uuid.UUID) (identity.Session, error) {
	id, err := identity.NewID()
	if err != nil {
		return identity.Session{}, err
	}
	now, from := s.Clock(), request.From(ctx)
	return identity.Session{
		ID: id, AccountID: account, Device: devices.Name(from.UserAgent), IP: from.ClientIP, UserAgent: from.UserAgent,
		CreatedAt: now, LastSeenAt: now, IssuedAt: now, ExpiresAt: s.until(now, now),
	}, nil
}

// saveNew writes everything that a sign-in leaves.
func (s *Service) saveNew(ctx context.Context, tx identity.Tx, session identity.Session, refresh tokens.Refresh) error {
	if err := tx.AddSession(ctx, session); err != nil {
		return err
	}
	if err := tx.AddRefreshToken(ctx, identity.RefreshToken{
		ID: refresh.ID, SessionID: session.ID, Hash: refresh.Hash(), CreatedAt: session.CreatedAt, ExpiresAt: session.ExpiresAt,
	}); err != nil {
		return err
	}
	fingerprint := sha256.Sum256([]byte(session.Device))
	isNew, err := tx.SeeDevice(ctx, session.AccountID, fingerprint[:], session.Device, session.CreatedAt)
	if err != nil {
		return err
	}
	entry, err := audit.New(ctx, session.CreatedAt, audit.SessionStarted, session.AccountID.String())
	if err != nil {
		return err
	}
	entry = entry.By(session.AccountID.String()).With("session_id", session.ID).With("new_device", isNew)
	if err := tx.WriteAudit(ctx, entry); err != nil {
		return err
	}
	return identity.Publish(ctx, tx, api.SessionStarted, session.AccountID, api.SessionStartedData{
		AccountID: session.AccountID, SessionID: session.ID, NewDevice: isNew, Device: session.Device, IP: session.IP, At: session.CreatedAt.UTC(),
	})
}

// grantOf is what an access token says from now on: the roles as they are, at an instant that no revocation so far voids. The caller
// holds the account, so that neither changes before the transaction ends.
func grantOf(ctx context.Context, tx identity.Tx, account identity.Account, session identity.Session, now time.Time) (tokens.Grant, error) {
	roles, err := tx.RolesOf(ctx, account.ID)
	if err != nil {
		return tokens.Grant{}, err
	}
	notBefore, err := tx.NotBefore(ctx, account.ID, session.ID)
	if err != nil {
		return tokens.Grant{}, err
	}
	return tokens.Grant{
		Account:     account.ID,
		Session:     session.ID,
		OrgID:       account.OrgID,
		Roles:       identity.Names(roles),
		Permissions: identity.Permissions(roles),
		At:          tokens.Instant(now, notBefore),
		Until:       session.ExpiresAt,
	}, nil
}
