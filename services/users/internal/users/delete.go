package users

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/services/users/internal/store"
	"github.com/atrium-mesh/atrium/services/users/internal/store/db"
)

// Delete deletes a user, to be erased after the grace period. An administrator cannot delete itself, so that one remains.
func (s *Service) Delete(ctx context.Context, in *api.UserActionRequest) (*struct{}, error) {
	_, err := s.act(ctx, in, func(tx *store.Tx, u db.User) (db.User, error) {
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
		u, err := tx.MarkDeleted(ctx, db.MarkDeletedParams{ID: u.ID, Now: now, EraseAt: eraseAt})
		if err != nil {
			return u, err
		}
		if err := audit(ctx, tx, u.ID, "user.deleted", struct{}{}, now); err != nil {
			return u, err
		}
		return u, store.Publish(ctx, tx, api.UserDeleted, u.ID, api.UserDeletedData{UserID: u.ID, Version: u.Version, At: now, EraseAt: eraseAt})
	})
	if err != nil {
		return nil, err
	}
	return nil, nil //nolint:nilnil // 204: nothing to say
}

// EraseDue erases up to most users whose grace period is over, and returns how many. The event makes every other service forget them.
func (s *Service) EraseDue(ctx context.Context, most int32) (int, error) {
	var due []uuid.UUID
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		now, err := s.now(), error(nil)
		if due, err = tx.LockDueForErasure(ctx, db.LockDueForErasureParams{Now: now, Most: most}); err != nil {
			return err
		}
		for _, id := range due {
			if err := tx.EraseUser(ctx, id); err != nil {
				return err
			}
			if err := tx.ForgetAuditDetail(ctx, id); err != nil {
				return err
			}
			if err := audit(ctx, tx, id, "user.erased", struct{}{}, now); err != nil {
				return err
			}
			if err := store.Publish(ctx, tx, api.UserErased, id, api.UserErasedData{UserID: id, At: now}); err != nil {
				return err
			}
		}
		return nil
	})
	return len(due), err
}
