package users

import (
	"context"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/services/users/api"
)

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
