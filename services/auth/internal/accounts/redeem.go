package accounts

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/throttle"
)

// redemption is what a redeemed link gives to the change it is for.
type redemption struct {
	tx      identity.Tx
	account identity.Account // locked
	now     time.Time
}

// redeem uses a link up and does what it is for, both or neither. Only an account that may be used can be opened or proved.
func (s *Service) redeem(ctx context.Context, token string, purpose api.LinkPurpose, fn func(context.Context, redemption) error) error {
	return s.redeemIn(ctx, identity.Account.Active, token, purpose, fn)
}

// redeemIn is redeem for an account that stands in one of the ways that the change is for. What closes an account, or gives it up, has
// others than what opens one: whoever is kept out today may be let in again tomorrow, and the thief with them.
func (s *Service) redeemIn(
	ctx context.Context, stands func(identity.Account) bool, token string, purpose api.LinkPurpose,
	fn func(context.Context, redemption) error,
) error {
	link, err := s.look(ctx, token, purpose)
	if err != nil {
		return err
	}
	ctx = by(ctx, *link.AccountID)
	return s.Store.InTx(ctx, func(tx identity.Tx) error {
		account, err := tx.LockAccount(ctx, *link.AccountID)
		if err != nil {
			return err
		}
		if _, err := s.Links.Redeem(ctx, tx, purpose, token); err != nil {
			return err
		}
		if !stands(account) {
			return errLinkInvalid()
		}
		if err := fn(ctx, redemption{tx: tx, account: account, now: s.Clock()}); err != nil {
			return err
		}
		if purpose == api.LinkNotMe { // nobody signs in with what it leaves
			return nil
		}
		return s.Throttle.Forgive(ctx, tx, attemptOf(ctx, account))
	})
}

// attemptOf is how the caller's attempts at an account are counted.
func attemptOf(ctx context.Context, account identity.Account) throttle.Attempt {
	return throttle.Attempt{EmailKey: account.EmailKey, ClientIP: request.From(ctx).SeenIP()}
}

// look finds the link of an account without a lock, so that nobody hashes a password for one that is worth nothing.
func (s *Service) look(ctx context.Context, token string, purpose api.LinkPurpose) (identity.Link, error) {
	link, err := s.Links.Look(ctx, purpose, token)
	if err == nil && link.AccountID == nil {
		err = errLinkInvalid()
	}
	return link, err
}

func errLinkInvalid() error {
	return errs.New(errs.Invalid, "link_invalid", "This link is not valid.")
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
	if err := r.tx.ForgetSignUpBrowser(ctx, r.account.ID); err != nil {
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
