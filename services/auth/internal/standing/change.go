package standing

import (
	"context"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/revocation"
)

// Deactivate implements [api.DeactivateAccount].
func (s *Service) Deactivate(ctx context.Context, in *api.AccountActionRequest) (*api.StandingResponse, error) {
	return s.change(ctx, api.VerbDeactivate, in.AccountID)
}

// Activate implements [api.ActivateAccount].
func (s *Service) Activate(ctx context.Context, in *api.AccountActionRequest) (*api.StandingResponse, error) {
	return s.change(ctx, api.VerbActivate, in.AccountID)
}

// Delete implements [api.DeleteAccount].
func (s *Service) Delete(ctx context.Context, in *api.AccountActionRequest) (*api.StandingResponse, error) {
	return s.change(ctx, api.VerbDelete, in.AccountID)
}

// Restore implements [api.RestoreAccount].
func (s *Service) Restore(ctx context.Context, in *api.AccountActionRequest) (*api.StandingResponse, error) {
	return s.change(ctx, api.VerbRestore, in.AccountID)
}

// MayEdit implements [api.MayEditAccount].
func (s *Service) MayEdit(ctx context.Context, in *api.AccountActionRequest) (*struct{}, error) {
	err := s.Store.InTx(ctx, func(tx Tx) error {
		_, err := s.Rule.Over(ctx, tx, api.VerbEdit, in.AccountID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &struct{}{}, nil
}

func (s *Service) change(ctx context.Context, verb api.Verb, account uuid.UUID) (*api.StandingResponse, error) {
	var stands identity.Account
	err := s.Store.InTx(ctx, func(tx Tx) error {
		c, err := s.Rule.Over(ctx, tx, verb, account)
		if err != nil {
			return err
		}
		if err := s.fresh(ctx, tx, c); err != nil {
			return err
		}
		status, err := next(c.Target.Account, verb)
		if err != nil {
			return err
		}
		stands = c.Target.Account
		if status == stands.Status {
			return nil
		}
		if verb == api.VerbDelete && c.Caller.Account.ID == stands.ID && !c.Caller.External && revocation.Removable(stands, c.Target.Roles) {
			stands, err = s.remove(ctx, tx, stands, c.Caller.Subject)
			return err
		}
		stands, err = s.apply(ctx, tx, step{verb: verb, before: stands, status: status, by: c.Caller.Subject})
		return err
	})
	if err != nil {
		return nil, err
	}
	return &api.StandingResponse{Standing: api.Standing(stands.Status), Version: stands.StatusVersion}, nil
}

// step is a change that was decided, of an account that is locked.
type step struct {
	verb   api.Verb
	before identity.Account
	status string
	by     string
}

func (s *Service) apply(ctx context.Context, tx Tx, st step) (identity.Account, error) {
	to := Change{Status: st.status, At: s.Clock()}
	if st.status == identity.StatusDeleted {
		to.Before = &st.before.Status
	}
	after, err := tx.SetStanding(ctx, st.before.ID, to)
	if err != nil {
		return after, err
	}
	if st.before.Active() { // nobody else has a session
		if _, err := s.Ender.Close(ctx, tx, after.ID, revocation.Closing{
			Reason: revocation.ReasonDisabled,
			At:     to.At,
			Owner:  st.status == identity.StatusDeleted && !st.before.Verified(),
		}); err != nil {
			return after, err
		}
	}
	if err := s.tell(ctx, tx, after, st); err != nil {
		return after, err
	}
	return after, wayIn(ctx, tx, after)
}

// remove takes an account away whose address nobody has proved, when its holder deletes it. There is nothing to restore, and the address may
// be somebody else's, who must not be kept out until the time of grace is over.
func (s *Service) remove(ctx context.Context, tx Tx, before identity.Account, by string) (identity.Account, error) {
	after, err := s.Ender.Remove(ctx, tx, before.ID, revocation.ReasonDisabled, s.Clock())
	if err != nil {
		return after, err
	}
	return after, s.tell(ctx, tx, after, step{verb: api.VerbErase, before: before, status: after.Status, by: by})
}

// wayIn asks for the mail with which a password is chosen, for an account that may be used and has none: "this wasn't me" was said while
// it could not be used, or the invitation was voided when it was stopped.
func wayIn(ctx context.Context, tx Tx, a identity.Account) error {
	if !a.Active() {
		return nil
	}
	password, err := tx.Password(ctx, a.ID)
	if err != nil || password.Hash != "" {
		return err
	}
	return identity.Publish(ctx, tx, api.PasswordResetRequested, a.ID, api.AccountData{
		AccountID:  a.ID,
		At:         a.UpdatedAt.UTC(),
		Generation: a.Generation,
		NoPassword: true,
	})
}

// tell leaves what others know a change by: an entry of the trail, and one event.
func (s *Service) tell(ctx context.Context, tx Tx, after identity.Account, st step) error {
	entry, err := audit.New(ctx, after.UpdatedAt, action(st.verb), after.ID.String())
	if err != nil {
		return err
	}
	if err := tx.WriteAudit(ctx, entry.By(st.by)); err != nil {
		return err
	}
	return identity.Publish(ctx, tx, api.AccountStandingChanged, after.ID, api.AccountStandingChangedData{
		AccountID: after.ID,
		Standing:  api.Standing(after.Status),
		Version:   after.StatusVersion,
		Cause:     st.verb,
		By:        st.by,
		At:        after.UpdatedAt.UTC(),
	})
}
