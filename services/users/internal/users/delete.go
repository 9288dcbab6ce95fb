package users

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/services/users/api"
)

// Delete deletes a user, to be erased after the grace period. An administrator cannot delete itself, so that one remains.
func (s *Service) Delete(ctx context.Context, in *api.UserActionRequest) (*struct{}, error) {
	_, err := s.act(ctx, in, func(tx Tx, u User) (User, error) {
		if u.Status == StatusDeleted {
			return u, nil
		}
		if slices.Contains(u.Roles, "admin") {
			if err := notOwn(ctx, u.ID); err != nil {
				return u, err
			}
		}
		now := s.now()
		eraseAt := now.Add(s.Grace)
		u, err := tx.MarkDeleted(ctx, u.ID, now, eraseAt)
		if err != nil {
			return u, err
		}
		if err := audit(ctx, tx, u.ID, "user.deleted", now); err != nil {
			return u, err
		}
		return u, publish(ctx, tx, api.UserDeleted, u.ID, api.UserDeletedData{UserID: u.ID, Version: u.Version, At: now, EraseAt: eraseAt})
	})
	if err != nil {
		return nil, err
	}
	return nil, nil //nolint:nilnil // 204: nothing to say
}

// EraseDue erases up to most users whose grace period is over, and returns how many. The event makes every other service forget them.
func (s *Service) EraseDue(ctx context.Context, most int32) (int, error) {
	var due []uuid.UUID
	err := s.Store.InTx(ctx, func(tx Tx) error {
		now, err := s.now(), error(nil)
		if due, err = tx.LockDueForErasure(ctx, now, most); err != nil {
			return err
		}
		for _, id := range due {
			if err := tx.Erase(ctx, id); err != nil {
				return err
			}
			if err := audit(ctx, tx, id, "user.erased", now); err != nil {
				return err
			}
			if err := publish(ctx, tx, api.UserErased, id, api.UserErasedData{UserID: id, At: now}); err != nil {
				return err
			}
		}
		return nil
	})
	return len(due), err
}
