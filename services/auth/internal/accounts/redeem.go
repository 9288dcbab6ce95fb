package accounts

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

// redemption is what a redeemed link gives to the change it is for.
type redemption struct {
	tx      identity.Tx
	account identity.Account // locked
	now     time.Time
}

// redeem uses a link up and does what it is for, both or neither.
func (s *Service) redeem(ctx context.Context, token string, purpose api.LinkPurpose, fn func(context.Context, redemption) error) error {
	link, err := s.usable(ctx, token, purpose)
	if err != nil {
		return err
	}
	ctx = by(ctx, *link.AccountID)
	return s.Store.InTx(ctx, func(tx identity.Tx) error {
		account, err := tx.LockAccount(ctx, *link.AccountID)
		if err != nil {
			return err
		}
		now := s.Clock()
		locked, err := tx.LockLink(ctx, link.Hash)
		if err != nil {
			return linkNotFound(err)
		}
		if err := CheckLink(locked, purpose, now); err != nil {
			return err
		}
		if !account.Active() {
			return errLinkInvalid()
		}
		if err := tx.UseLink(ctx, locked.ID, now); err != nil {
			return err
		}
		return fn(ctx, redemption{tx: tx, account: account, now: now})
	})
}

// usable looks at a link without a lock, so that nobody hashes a password for one that is worth nothing.
func (s *Service) usable(ctx context.Context, token string, purpose api.LinkPurpose) (identity.Link, error) {
	link, err := s.Store.Link(ctx, identity.HashToken(token))
	if err != nil {
		return link, linkNotFound(err)
	}
	if link.AccountID == nil {
		return link, errLinkInvalid()
	}
	return link, CheckLink(link, purpose, s.Clock())
}

// CheckLink is nil when a link can be redeemed for a purpose; otherwise errs.Invalid "link_invalid", "link_used" or "link_expired".
func CheckLink(link identity.Link, purpose api.LinkPurpose, now time.Time) error {
	switch {
	case link.Purpose != string(purpose):
		return errLinkInvalid()
	case link.UsedAt != nil:
		return errs.New(errs.Invalid, "link_used", "This link was used already.")
	case !now.Before(link.ExpiresAt):
		return errs.New(errs.Invalid, "link_expired", "This link has expired; ask for another one.")
	default:
		return nil
	}
}

func errLinkInvalid() error {
	return errs.New(errs.Invalid, "link_invalid", "This link is not valid.")
}

func linkNotFound(err error) error {
	if errors.Is(err, errs.NotFound) {
		return errLinkInvalid()
	}
	return err
}

// audit writes that the account did something by itself.
func (r redemption) audit(ctx context.Context, action string) error {
	entry, err := audit.New(ctx, r.now, action, r.account.ID.String())
	if err != nil {
		return err
	}
	return r.tx.WriteAudit(ctx, entry.By(r.account.ID.String()))
}

// verify marks the address as verified: whoever redeems a link that was sent there reads its mail. Name is another name that the person
// gave, or empty.
func (r redemption) verify(ctx context.Context, name string) error {
	if r.account.Verified() {
		return nil
	}
	if err := r.tx.MarkVerified(ctx, r.account.ID, r.now); err != nil {
		return err
	}
	if err := r.tx.UseLinksOf(ctx, r.account.ID, string(api.LinkVerifyEmail), r.now); err != nil {
		return err
	}
	if err := r.audit(ctx, audit.AccountVerified); err != nil {
		return err
	}
	return identity.Publish(ctx, r.tx, api.AccountVerified, r.account.ID, api.AccountVerifiedData{
		AccountID: r.account.ID, Email: r.account.Email, FullName: name, At: r.now.UTC(),
	})
}

// passwordChanged tells of another password.
func passwordChanged(ctx context.Context, tx identity.Tx, account uuid.UUID, how string, e audit.Entry) error {
	if err := tx.WriteAudit(ctx, e); err != nil {
		return err
	}
	return identity.Publish(ctx, tx, api.PasswordChanged, account, api.PasswordChangedData{
		AccountID: account, How: how, Device: e.Device, IP: e.IP, At: e.At.UTC(),
	})
}
