package users

import (
	"context"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/services/users/api"
)

// Activate lets a deactivated user sign in again.
func (s *Service) Activate(ctx context.Context, in *api.UserActionRequest) (*api.UserResponse, error) {
	return s.act(ctx, in, func(tx Tx, u User) (User, error) {
		if u.Status != StatusDeactivated {
			return u, alive(u.Status)
		}
		return s.setStatus(ctx, tx, u, statusOf(u.EmailVerified), api.UserActivated)
	})
}

// Deactivate keeps a user out. Auth revokes every session when the event arrives, some milliseconds after the commit.
func (s *Service) Deactivate(ctx context.Context, in *api.UserActionRequest) (*api.UserResponse, error) {
	return s.act(ctx, in, func(tx Tx, u User) (User, error) {
		if err := notOwn(ctx, u.ID); err != nil {
			return u, err
		}
		if u.Status == StatusDeactivated {
			return u, nil
		}
		if err := alive(u.Status); err != nil {
			return u, err
		}
		return s.setStatus(ctx, tx, u, StatusDeactivated, api.UserDeactivated)
	})
}

// Restore takes a deletion back.
func (s *Service) Restore(ctx context.Context, in *api.UserActionRequest) (*api.UserResponse, error) {
	return s.act(ctx, in, func(tx Tx, u User) (User, error) {
		if u.Status != StatusDeleted {
			return u, errs.New(errs.Conflict, "user_not_deleted", "The user is not deleted.")
		}
		now := s.now()
		u, err := tx.Restore(ctx, u.ID, now)
		if err != nil {
			return u, err
		}
		if err := audit(ctx, tx, u.ID, "user.restored", now); err != nil {
			return u, err
		}
		data := api.UserStatusData{UserID: u.ID, Version: u.Version, At: now}
		if err := publish(ctx, tx, api.UserRestored, u.ID, data); err != nil || u.Status != StatusDeactivated {
			return u, err
		}
		return u, publish(ctx, tx, api.UserDeactivated, u.ID, data) // restored to what it was: still kept out
	})
}

// act changes one user in one transaction.
func (s *Service) act(ctx context.Context, in *api.UserActionRequest, fn func(Tx, User) (User, error)) (*api.UserResponse, error) {
	id, err := parseID(in.ID)
	if err != nil {
		return nil, err
	}
	var u User
	err = s.Store.InTx(ctx, func(tx Tx) error {
		if u, err = lock(ctx, tx, id, in.IfMatch); err != nil {
			return err
		}
		u, err = fn(tx, u)
		return err
	})
	if err != nil {
		return nil, err
	}
	return response(u), nil
}

func (s *Service) setStatus(ctx context.Context, tx Tx, u User, status string, event events.Type[api.UserStatusData]) (User, error) {
	now := s.now()
	u, err := tx.SetStatus(ctx, u.ID, status, now)
	if err != nil {
		return u, err
	}
	if err := audit(ctx, tx, u.ID, "user."+status, now); err != nil {
		return u, err
	}
	return u, publish(ctx, tx, event, u.ID, api.UserStatusData{UserID: u.ID, Version: u.Version, At: now})
}
