package users

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/request"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/users/api"
)

// Standing is how an account stands, as auth answered or told.
type Standing struct {
	Account uuid.UUID
	Is      auth.Standing
	Version int64
	By      string
	At      time.Time
	Grace   time.Duration // between deleting and erasing
}

// Follow makes a user stand as the account does, in the transaction of whoever heard of it: the request that asked for it, or the event. The
// one that comes first changes the user, with one version and one event that carries the result; whatever is not newer changes nothing. It is
// errs.NotFound "user_not_found" when there is no such user. An account that auth has erased takes its user along, who is returned as nobody.
func Follow(ctx context.Context, tx Tx, s Standing) (User, error) {
	if s.Is == auth.StandingErased {
		return User{}, Disown(ctx, tx, s.Account, s.At)
	}
	u, err := existing(tx.LockUser(ctx, s.Account))
	if err != nil || s.Version <= u.StandingVersion {
		return u, err
	}
	before, to := u.Status, s.stand(u)
	if to.Status == before {
		return u, tx.NoteStanding(ctx, u.ID, s.Version)
	}
	if u, err = tx.SetStanding(ctx, u.ID, to); err != nil {
		return u, err
	}
	return u, s.tell(ctx, tx, u, before)
}

// Join makes the user of an account, unless there is one, and lets them stand as the account does: whoever was stopped before anybody heard
// of them here does not begin as an active user. It is errs.NotFound "user_not_found" for somebody who was erased.
func Join(ctx context.Context, tx Tx, n NewUser, s Standing) (User, error) {
	// The lock waits for an erasure that is about to be committed; whoever is being erased is not made again beside it.
	_, err := tx.LockUser(ctx, n.ID)
	if errors.Is(err, errs.NotFound) {
		err = tx.EnsureUser(ctx, n)
	}
	if err != nil {
		return User{}, err
	}
	return Follow(ctx, tx, s)
}

// stand is what a user is kept by.
func (s Standing) stand(u User) Stand {
	to := Stand{Version: s.Version, Now: s.At}
	switch s.Is {
	case auth.StandingActive:
		to.Status = statusOf(u.EmailVerified)
	case auth.StandingDeleted:
		eraseAt := s.At.Add(s.Grace)
		to.Status, to.DeletedAt, to.EraseAt = StatusDeleted, &s.At, &eraseAt
	default: // kept out, also by a standing that this version does not know
		to.Status = StatusDeactivated
	}
	return to
}

// tell leaves an entry of the trail and the event. Coming back from a deletion is a restoration, whatever to.
func (s Standing) tell(ctx context.Context, tx Tx, u User, before string) error {
	data := api.UserStatusData{UserID: u.ID, Version: u.Version, At: s.At}
	write := func(action string) error {
		from := request.From(ctx) // of the one who asked; none when the event came first, and auth's own trail has it
		return tx.WriteAudit(ctx, Change{
			UserID:    u.ID,
			Actor:     s.By,
			Action:    action,
			IP:        from.ClientIP,
			RequestID: from.ID,
			At:        s.At,
		})
	}
	leave := func(action string, event events.Type[api.UserStatusData], data api.UserStatusData) error {
		if err := write(action); err != nil {
			return err
		}
		return publish(ctx, tx, event, u.ID, data)
	}
	switch {
	case u.Status == StatusDeleted:
		if err := write("user.deleted"); err != nil {
			return err
		}
		return publish(ctx, tx, api.UserDeleted, u.ID, api.UserDeletedData{UserID: u.ID, Version: u.Version, At: s.At, EraseAt: *u.EraseAt})
	case before == StatusDeleted:
		data.Status = u.Status
		return leave("user.restored", api.UserRestored, data)
	case u.Status == StatusDeactivated:
		return leave("user.deactivated", api.UserDeactivated, data)
	default:
		return leave("user.activated", api.UserActivated, data)
	}
}
