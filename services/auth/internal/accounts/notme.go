package accounts

import (
	"context"

	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/revocation"
)

// NotMe implements [api.NotMe]. Whoever was there may know the password, or may have set it, may have asked for links, and has made a
// device known: none of it is worth anything any more. The only way in is the mail that this asks for.
//
// It closes in every standing but erased. The one who was there may have deleted the account, and an administrator may have stopped it: it
// comes back without the password, and the mail is asked for then, by package standing.
func (s *Service) NotMe(ctx context.Context, in *api.NotMeRequest) (*struct{}, error) {
	return nil, s.redeemIn(ctx, notErased, in.Body.Token, api.LinkNotMe, func(ctx context.Context, r redemption) error {
		if err := s.Rule.HoldAdministration(ctx, r.tx, r.account.ID); err != nil {
			return err
		}
		if err := r.tx.DropPassword(ctx, r.account.ID); err != nil {
			return err
		}
		generation, err := s.Ender.Close(ctx, r.tx, r.account.ID, revocation.Closing{Reason: revocation.ReasonNotMe, At: r.now})
		if err != nil {
			return err
		}
		if err := r.tx.DistrustDevices(ctx, r.account.ID, r.now); err != nil { // theirs is among them
			return err
		}
		if err := r.audit(ctx, audit.AccountDisowned); err != nil {
			return err
		}
		if !r.account.Active() {
			return nil
		}
		// Whoever was there may have used up the mails of the mailbox, so that this one could not come: it comes in any case.
		if err := s.Mailboxes.Force(ctx, r.tx, r.account.EmailKey, r.now); err != nil {
			return err
		}
		if _, err := r.tx.ClaimResetMail(ctx, r.account.ID, r.now, r.now); err != nil {
			return err
		}
		return identity.Publish(ctx, r.tx, api.PasswordResetRequested, r.account.ID, api.AccountData{
			AccountID:  r.account.ID,
			At:         r.now.UTC(),
			Generation: generation,
			NoPassword: true,
		})
	})
}

func notErased(a identity.Account) bool { return a.Status != identity.StatusErased }
