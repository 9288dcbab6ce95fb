package users

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
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
			if err := erase(ctx, tx, id, now); err != nil {
				return err
			}
		}
		return nil
	})
	return len(due), err
}

// Disown erases a user whose account is gone: the owner of its address never made it, or auth has erased it. An event that comes late does
// not make the user again.
func Disown(ctx context.Context, tx Tx, id uuid.UUID, now time.Time) error {
	_, err := tx.LockUser(ctx, id) // of two that erase the same user, the second finds what the first has left
	if errors.Is(err, errs.NotFound) {
		done, err := tx.Erased(ctx, id)
		if err != nil || done {
			return err
		}
	} else if err != nil {
		return err
	}
	return erase(ctx, tx, id, now)
}

func erase(ctx context.Context, tx Tx, id uuid.UUID, now time.Time) error {
	if err := tx.Erase(ctx, id, now); err != nil {
		return err
	}
	if err := audit(ctx, tx, id, "user.erased", now); err != nil {
		return err
	}
	return publish(ctx, tx, api.UserErased, id, api.UserErasedData{UserID: id, At: now})
}
