// Package standing owns whether an account may be used, which follows the user's life: disabled and enabled with it, and erased in the
// end.
//
// What a user's events say is applied by the user's version, so that an event that comes late, or again, changes nothing. Disabling is
// true at once: every session ends and every token is refused. Erasing removes everything personal; what was done stays in the audit
// trail under an id that means nobody any more.
package standing

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/person"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/revocation"
)

// Tx is one transaction on an account and everything that belongs to it.
type Tx interface {
	identity.Tx
	// SetStatus is false when a later version of the user was applied already, or the account was erased.
	SetStatus(ctx context.Context, account uuid.UUID, status string, version int64, at time.Time) (bool, error)
	SetProfile(ctx context.Context, account uuid.UUID, fullName, locale string, at time.Time) error
	// EraseAccount removes what is personal in the account itself; it is false when that was done already.
	EraseAccount(ctx context.Context, account uuid.UUID, at time.Time) (bool, error)
	// EraseBelongings removes sessions with their tokens, known devices, links and roles.
	EraseBelongings(ctx context.Context, account uuid.UUID) error
	EraseAudit(ctx context.Context, account uuid.UUID) error
}

// Cause is why a standing changes: which version of the user, and who did it.
type Cause struct {
	Account uuid.UUID
	Version int64
	Actor   string
}

// Standing changes the standing of accounts, in the transaction of whoever calls.
type Standing struct {
	ender revocation.Ender
	clock func() time.Time
}

// New makes it. A nil clock is time.Now.
func New(ender revocation.Ender, clock func() time.Time) *Standing {
	if clock == nil {
		clock = time.Now
	}
	return &Standing{ender: ender, clock: clock}
}

// Disable ends every session and lets nobody sign in.
func (s *Standing) Disable(ctx context.Context, tx Tx, c Cause) error {
	return s.change(ctx, tx, c, identity.StatusDisabled, audit.AccountDisabled, func(now time.Time) error {
		return s.ender.All(ctx, tx, c.Account, revocation.ReasonDisabled, now)
	})
}

// Enable lets the person sign in again.
func (s *Standing) Enable(ctx context.Context, tx Tx, c Cause) error {
	return s.change(ctx, tx, c, identity.StatusActive, audit.AccountEnabled, func(time.Time) error { return nil })
}

func (s *Standing) change(ctx context.Context, tx Tx, c Cause, status, action string, then func(now time.Time) error) error {
	before, err := tx.LockAccount(ctx, c.Account)
	if errors.Is(err, errs.NotFound) {
		return nil // a user whom auth has never heard of has nothing to lose here
	}
	if err != nil {
		return err
	}
	now := s.clock()
	applied, err := tx.SetStatus(ctx, c.Account, status, c.Version, now)
	if err != nil || !applied || before.Status == status {
		return err
	}
	if err := then(now); err != nil {
		return err
	}
	return record(ctx, tx, c, action, now)
}

// Copy keeps the name and the language, which passwords are checked against and mails are written in. Users has checked them; what is
// no name or locale all the same is errs.Invalid, so that the event becomes a dead letter.
func (s *Standing) Copy(ctx context.Context, tx Tx, account uuid.UUID, fullName, locale string) error {
	fullName, err := person.OptionalName("data.full_name", fullName)
	if err != nil {
		return err
	}
	if locale, err = person.OptionalLocale("data.locale", locale); err != nil {
		return err
	}
	return tx.SetProfile(ctx, account, fullName, locale, s.clock())
}

// Erase removes everything personal, for good.
func (s *Standing) Erase(ctx context.Context, tx Tx, c Cause) error {
	if _, err := tx.LockAccount(ctx, c.Account); err != nil {
		if errors.Is(err, errs.NotFound) {
			return nil
		}
		return err
	}
	now := s.clock()
	erased, err := tx.EraseAccount(ctx, c.Account, now)
	if err != nil || !erased {
		return err
	}
	if err := s.ender.All(ctx, tx, c.Account, revocation.ReasonDisabled, now); err != nil {
		return err
	}
	for _, erase := range []func(context.Context, uuid.UUID) error{tx.DropPassword, tx.EraseBelongings, tx.EraseAudit} {
		if err := erase(ctx, c.Account); err != nil {
			return err
		}
	}
	return record(ctx, tx, c, audit.AccountErased, now)
}

func record(ctx context.Context, tx Tx, c Cause, action string, now time.Time) error {
	entry, err := audit.New(ctx, now, action, c.Account.String())
	if err != nil {
		return err
	}
	if c.Actor != "" {
		entry = entry.By(c.Actor)
	}
	return tx.WriteAudit(ctx, entry)
}
