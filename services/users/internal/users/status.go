package users

import (
	"context"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/etag"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/users/api"
)

// Activate lets a deactivated user sign in again.
func (s *Service) Activate(ctx context.Context, in *api.UserActionRequest) (*api.UserResponse, error) {
	return s.stand(ctx, in, s.Accounts.Activate, alive)
}

// Deactivate keeps a user out.
func (s *Service) Deactivate(ctx context.Context, in *api.UserActionRequest) (*api.UserResponse, error) {
	return s.stand(ctx, in, s.Accounts.Deactivate, alive)
}

// Restore takes a deletion back. Who was deactivated before comes back deactivated.
func (s *Service) Restore(ctx context.Context, in *api.UserActionRequest) (*api.UserResponse, error) {
	return s.stand(ctx, in, s.Accounts.Restore, func(status string) error {
		if status != StatusDeleted {
			return errs.New(errs.Conflict, "user_not_deleted", "The user is not deleted.")
		}
		return nil
	})
}

// Delete deletes a user, to be erased after the grace period; or at once, when auth has removed the account: its address was never proved.
func (s *Service) Delete(ctx context.Context, in *api.UserActionRequest) (*struct{}, error) {
	if _, err := s.stand(ctx, in, s.Accounts.Delete, func(string) error { return nil }); err != nil {
		return nil, err
	}
	return nil, nil //nolint:nilnil // 204: nothing to say
}

// stand changes how a user stands, which is auth's to decide, over NATS, so it takes three steps, each of which can be done again:
//
//  1. what users knows is checked: that there is such a user, the version that the caller has seen, the status;
//  2. auth decides, and changes the account at once: sessions end here, whatever comes next;
//  3. the copy follows, with the event that tells of it, unless auth's event was quicker.
//
// A crash between the last two leaves the copy behind until auth's event arrives, or the request is repeated.
func (s *Service) stand(ctx context.Context, in *api.UserActionRequest, ask Ask, check func(status string) error) (*api.UserResponse, error) {
	id, err := parseID(in.ID)
	if err != nil {
		return nil, err
	}
	if err := s.ready(ctx, id, in.IfMatch, check); err != nil {
		return nil, err
	}
	answer, err := ask(ctx, &auth.AccountActionRequest{AccountID: id})
	if err != nil {
		return nil, asOwn(err)
	}
	var u User
	err = s.Store.InTx(ctx, func(tx Tx) error {
		u, err = Follow(ctx, tx, s.standing(ctx, id, answer.Standing, answer.Version))
		return err
	})
	if err != nil || answer.Standing == auth.StandingErased {
		return nil, err
	}
	return response(u), nil
}

// standing is what auth answered to the caller.
func (s *Service) standing(ctx context.Context, id uuid.UUID, is auth.Standing, version int64) Standing {
	return Standing{
		Account: id,
		Is:      is,
		Version: version,
		By:      actor(ctx),
		At:      s.now(),
		Grace:   s.Grace,
	}
}

// ready checks what a change is meant for, before auth is asked.
func (s *Service) ready(ctx context.Context, id uuid.UUID, ifMatch string, check func(status string) error) error {
	u, err := existing(s.Store.User(ctx, id))
	if err != nil {
		return err
	}
	if err := etag.Check(ifMatch, u.Version); err != nil {
		return err
	}
	return check(u.Status)
}
