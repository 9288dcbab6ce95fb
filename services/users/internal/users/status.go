package users

import (
	"context"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/services/users/internal/store"
	"github.com/atrium-mesh/atrium/services/users/internal/store/db"
)

// Activate lets a deactivated user sign in again.
func (s *Service) Activate(ctx context.Context, in *api.UserActionRequest) (*api.UserResponse, error) {
	return s.act(ctx, in, func(tx *store.Tx, u db.User) (db.User, error) {
		if u.Status != StatusDeactivated {
			return u, alive(u.Status)
		}
		status := StatusPending
		if u.EmailVerified {
			status = StatusActive
		}
		return s.setStatus(ctx, tx, u, status, api.UserActivated)
	})
}

// Deactivate keeps a user out. Auth revokes every session when the event arrives, some milliseconds after the commit.
func (s *Service) Deactivate(ctx context.Context, in *api.UserActionRequest) (*api.UserResponse, error) {
	return s.act(ctx, in, func(tx *store.Tx, u db.User) (db.User, error) {
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
	return s.act(ctx, in, func(tx *store.Tx, u db.User) (db.User, error) {
		if u.Status != StatusDeleted {
			return u, errs.New(errs.Conflict, "user_not_deleted", "The user is not deleted.")
		}
		now := s.now()
		u, err := tx.Restore(ctx, db.RestoreParams{ID: u.ID, Now: now})
		if err != nil {
			return u, err
		}
		if err := audit(ctx, tx, u.ID, "user.restored", struct{}{}, now); err != nil {
			return u, err
		}
		data := api.UserStatusData{UserID: u.ID, Version: u.Version, At: now}
		if err := store.Publish(ctx, tx, api.UserRestored, u.ID, data); err != nil || u.Status != StatusDeactivated {
			return u, err
		}
		return u, store.Publish(ctx, tx, api.UserDeactivated, u.ID, data) // restored to what it was: still kept out
	})
}

// act changes one user in one transaction.
func (s *Service) act(ctx context.Context, in *api.UserActionRequest, fn func(*store.Tx, db.User) (db.User, error)) (*api.UserResponse, error) {
	id, err := parseID(in.ID)
	if err != nil {
		return nil, err
	}
	var u db.User
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
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

func (s *Service) setStatus(ctx context.Context, tx *store.Tx, u db.User, status string, event events.Type[api.UserStatusData]) (db.User, error) {
	now := s.now()
	u, err := tx.SetStatus(ctx, db.SetStatusParams{ID: u.ID, Status: status, Now: now})
	if err != nil {
		return u, err
	}
	if err := audit(ctx, tx, u.ID, "user."+status, struct{}{}, now); err != nil {
		return u, err
	}
	return u, store.Publish(ctx, tx, event, u.ID, api.UserStatusData{UserID: u.ID, Version: u.Version, At: now})
}
