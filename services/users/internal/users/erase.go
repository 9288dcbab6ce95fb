package users

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/users/api"
)

// EraseDue erases the users whose grace period is over, a batch at a time, and returns how many. The event makes every other service forget
// them. Somebody who cannot be erased now is left for the next time, and keeps nobody else waiting.
func (s *Service) EraseDue(ctx context.Context, batch int32) (int, error) {
	var failures []error
	total, last := 0, Due{}
	for {
		var due []Due
		err := s.Store.InTx(ctx, func(tx Tx) (err error) {
			due, err = tx.DueForErasure(ctx, s.now(), last, batch)
			return err
		})
		if err != nil {
			return total, errors.Join(append(failures, err)...)
		}
		for _, last = range due {
			gone, err := s.erase(ctx, last.ID)
			switch {
			case errors.Is(err, errs.Unavailable), ctx.Err() != nil:
				return total, errors.Join(append(failures, err)...)
			case err != nil:
				failures = append(failures, err)
			case gone:
				total++
			}
		}
		if len(due) < int(batch) {
			return total, errors.Join(failures...)
		}
	}
}

// erase erases one user, if auth says so. Auth decides, under the lock of the account, between this and somebody who restores it at the same
// moment, and erases its part first: whoever was restored is followed back, and from the other answer on nobody can restore. A crash before
// the user is gone here leaves them due: asked again, auth answers the same, and its event says it too.
func (s *Service) erase(ctx context.Context, id uuid.UUID) (gone bool, err error) {
	answer, err := s.Accounts.Erase(ctx, &auth.AccountActionRequest{AccountID: id})
	if errors.Is(err, errs.NotFound) { // auth has never heard of them
		answer, err = &auth.StandingResponse{Standing: auth.StandingErased}, nil
	}
	if err != nil {
		return false, err
	}
	err = s.Store.InTx(ctx, func(tx Tx) error {
		_, err := Follow(ctx, tx, Standing{
			Account: id,
			Is:      answer.Standing,
			Version: answer.Version,
			By:      actor(ctx),
			At:      s.now(),
			Grace:   s.Grace,
		})
		return err
	})
	if errors.Is(err, errs.NotFound) { // auth's event was quicker
		err = nil
	}
	return err == nil && answer.Standing == auth.StandingErased, err
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
