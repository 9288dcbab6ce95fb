package standing

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/person"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/revocation"
)

// Copy keeps the name and the language, which passwords are checked against and mails are written in. It takes nothing else from users: the
// address and whatever decides about access are auth's own. Users has checked both; what is no name or locale all the same is errs.Invalid, so
// that the event becomes a dead letter.
func (s *Service) Copy(ctx context.Context, tx Tx, account uuid.UUID, p Profile) (err error) {
	if p.FullName, err = person.OptionalName("data.full_name", p.FullName); err != nil {
		return err
	}
	if p.Locale, err = person.OptionalLocale("data.locale", p.Locale); err != nil {
		return err
	}
	return tx.SetProfile(ctx, account, p, s.Clock())
}

// Erase removes everything personal of an account for good, by the word of whoever erased the person (an account, or the system). Users asks
// before it erases ([Service.EraseDeleted]), so that this finds it done; a users of the version before only tells. An account
// that was not deleted here is errs.Conflict "account_not_deleted": the event is wrong, or forged, and nobody is erased by it. It becomes a
// dead letter, which has an alarm.
func (s *Service) Erase(ctx context.Context, tx Tx, account uuid.UUID, by string) error {
	before, err := tx.LockAccount(ctx, account)
	switch {
	case errors.Is(err, errs.NotFound): // a user whom auth has never heard of has nothing to lose here
		return nil
	case err != nil:
		return err
	case before.Status == identity.StatusErased:
		return nil
	case before.Status != identity.StatusDeleted:
		return errs.New(errs.Conflict, "account_not_deleted", "An account is erased only after it was deleted.")
	}
	_, err = s.erase(ctx, tx, before, by)
	return err
}

// EraseDeleted implements [api.EraseAccount]. The lock of the account decides between it and a restoration: whichever comes second finds what
// the first has done.
func (s *Service) EraseDeleted(ctx context.Context, in *api.AccountActionRequest) (*api.StandingResponse, error) {
	var stands identity.Account
	err := s.Store.InTx(ctx, func(tx Tx) (err error) {
		stands, err = tx.LockAccount(ctx, in.AccountID)
		if errors.Is(err, errs.NotFound) {
			return errs.New(errs.NotFound, "user_not_found", "There is no such user.").WithCause(err)
		}
		if err == nil && stands.Status == identity.StatusDeleted {
			stands, err = s.erase(ctx, tx, stands, "")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &api.StandingResponse{Standing: api.Standing(stands.Status), Version: stands.StatusVersion}, nil
}

// erase erases an account that is locked.
func (s *Service) erase(ctx context.Context, tx Tx, before identity.Account, by string) (identity.Account, error) {
	after, err := tx.EraseAccount(ctx, before.ID, s.Clock())
	if err != nil {
		return after, err
	}
	if err := s.Ender.All(ctx, tx, before.ID, revocation.ReasonDisabled, after.UpdatedAt); err != nil {
		return after, err
	}
	for _, erase := range []func(context.Context, uuid.UUID) error{tx.DropPassword, tx.EraseBelongings} {
		if err := erase(ctx, before.ID); err != nil {
			return after, err
		}
	}
	if err := tx.EraseAudit(ctx, before.ID, after.UpdatedAt); err != nil {
		return after, err
	}
	if by == "" {
		by = audit.System
	}
	return after, s.tell(ctx, tx, after, step{verb: api.VerbErase, before: before, status: after.Status, by: by})
}
