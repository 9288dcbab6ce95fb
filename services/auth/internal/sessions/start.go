package sessions

import (
	"context"
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
	"github.com/atrium-mesh/atrium/services/auth/internal/revocation"
	"github.com/atrium-mesh/atrium/services/auth/internal/tokens"
)

// entry is a sign-in whose password was verified. A better hash, unless it is "", replaces the one it was verified with.
type entry struct {
	verified   identity.Password
	betterHash string
	device     string // the browser's cookie; "" for none
}

// start makes a session of the account whose password was verified, as long as it is still this password.
func (s *Service) start(ctx context.Context, in entry) (issued, error) {
	ctx = events.WithActor(ctx, identity.Org, in.verified.AccountID.String())
	var grant tokens.Grant
	var refresh tokens.Refresh
	var session identity.Session
	err := s.Store.InTx(ctx, func(tx identity.Tx) error {
		account, err := s.stillValid(ctx, tx, in.verified)
		if err != nil {
			return err
		}
		if in.betterHash != "" {
			if err := tx.Rehash(ctx, account.ID, in.verified.Hash, in.betterHash); err != nil {
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
		if err := keep(ctx, tx, session, refresh); err != nil {
			return err
		}
		if err := s.makeRoom(ctx, tx, session); err != nil {
			return err
		}
		seen, err := s.recognise(ctx, tx, session, in.device)
		if err != nil {
			return err
		}
		return tellStarted(ctx, tx, session, seen)
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

// keep writes a new session and its first refresh token.
func keep(ctx context.Context, tx identity.Tx, session identity.Session, refresh tokens.Refresh) error {
	if err := tx.AddSession(ctx, session); err != nil {
		return err
	}
	return tx.AddRefreshToken(ctx, identity.RefreshToken{
		ID:        refresh.ID,
		SessionID: session.ID,
		Hash:      refresh.Hash(),
		CreatedAt: session.CreatedAt,
		ExpiresAt: session.ExpiresAt,
	})
}

// makeRoom ends what an account has of sessions beyond the limit, so that nobody makes so many that looking through them, or ending them,
// takes long. A person who signs in is never refused for it: whoever knows the password could keep the owner out by that.
func (s *Service) makeRoom(ctx context.Context, tx identity.Tx, session identity.Session) error {
	n, err := s.Ender.Beyond(ctx, tx, session.AccountID, session.ID, s.MostOpen, session.CreatedAt)
	if err != nil || n == 0 {
		return err
	}
	entry, err := audit.New(ctx, session.CreatedAt, audit.SessionsEnded, session.AccountID.String())
	if err != nil {
		return err
	}
	return tx.WriteAudit(ctx, entry.By(session.AccountID.String()).With("reason", revocation.ReasonTooMany).With("count", n))
}

// tellStarted leaves what others know a sign-in by.
func tellStarted(ctx context.Context, tx identity.Tx, session identity.Session, seen recognition) error {
	entry, err := audit.New(ctx, session.CreatedAt, audit.SessionStarted, session.AccountID.String())
	if err != nil {
		return err
	}
	entry = entry.By(session.AccountID.String()).With("session_id", session.ID).With("new_device", seen.isNew)
	if err := tx.WriteAudit(ctx, entry); err != nil {
		return err
	}
	return identity.Publish(ctx, tx, api.SessionStarted, session.AccountID, api.SessionStartedData{
		AccountID:  session.AccountID,
		SessionID:  session.ID,
		NewDevice:  seen.isNew,
		Quiet:      seen.quiet,
		LastNotice: seen.last,
		Device:     session.Device,
		IP:         session.IP,
		At:         session.CreatedAt.UTC(),
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
