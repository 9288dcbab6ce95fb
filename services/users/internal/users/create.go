package users

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/etag"
	"github.com/atrium-mesh/atrium/pkg/idempotency"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/users/api"
)

// Create makes a user. The account is auth's to make, over NATS, so it takes three steps, each of which can be done again:
//
//  1. the id is chosen, and kept under the idempotency key;
//  2. auth makes the account with this id, or finds that it has; its event sends the invitation and makes the profile;
//  3. the profile is made here and now, or completed when the event was quicker.
//
// A crash between them leaves a complete user, without the time zone at most, and a repeated request finishes it.
func (s *Service) Create(ctx context.Context, in *api.CreateUserRequest) (*api.CreateUserResponse, error) {
	n, err := newUser(in.Body)
	if err != nil {
		return nil, err
	}
	if n.ID, err = s.reserve(ctx, in); err != nil {
		return nil, err
	}
	account, err := s.Accounts.Create(ctx, &auth.CreateAccountRequest{
		ID: n.ID, Email: n.Email, FullName: n.FullName, Locale: n.Locale, Roles: n.Roles,
	})
	if err != nil {
		return nil, asOwn(err)
	}
	n.Email, n.CreatedAt = account.Email, account.CreatedAt
	u, err := s.insert(ctx, n, s.standing(ctx, n.ID, account.Standing, account.StandingVersion))
	if err != nil {
		return nil, err
	}
	return &api.CreateUserResponse{Location: "/api/v1/users/" + u.ID.String(), ETag: etag.Of(u.Version), Body: view(u)}, nil
}

func newUser(b api.NewUser) (NewUser, error) {
	if len(b.Roles) == 0 {
		b.Roles = []string{"user"}
	}
	n := NewUser{
		Profile: Profile{FullName: b.FullName, Locale: b.Locale, TimeZone: b.TimeZone},
		Email:   b.Email,
		Roles:   b.Roles,
	}
	return n.Parse("body")
}

// reserve chooses the id of a new user; a repeated request gets the one it got first.
func (s *Service) reserve(ctx context.Context, in *api.CreateUserRequest) (uuid.UUID, error) {
	hash, err := idempotency.HashOf(in.Body)
	if err != nil {
		return uuid.UUID{}, err
	}
	var id uuid.UUID
	err = s.Store.InTx(ctx, func(tx Tx) error {
		key := idempotency.Key{Scope: "create-user:" + actor(ctx), Key: in.IdempotencyKey, Hash: hash}
		id, err = tx.Once(ctx, key, uuid.NewV7)
		return err
	})
	return id, err
}

const created = "user.created"

// insert makes the profile, or completes the one that the account's event made. When a repeated request finds all of it done, nothing
// changes.
func (s *Service) insert(ctx context.Context, n NewUser, as Standing) (User, error) {
	var u User
	err := s.Store.InTx(ctx, func(tx Tx) error {
		var err error
		if u, err = Join(ctx, tx, n, as); err != nil {
			return err
		}
		if done, err := tx.Audited(ctx, u.ID, created); err != nil || done {
			return err
		}
		if u.TimeZone != n.TimeZone && u.Version == 1 {
			if u, err = tx.SetProfile(ctx, u.ID, n.Profile, s.now()); err != nil {
				return err
			}
		}
		if err := audit(ctx, tx, u.ID, created, s.now()); err != nil {
			return err
		}
		return publish(ctx, tx, api.UserUpdated, u.ID, updated(u))
	})
	if err != nil {
		return u, fmt.Errorf("make the profile: %w", err)
	}
	return u, nil
}

// asOwn keeps what auth decided about what the caller gave, or wants to do, and nothing else of its answer's form.
func asOwn(err error) error {
	switch e := errs.From(err); e.Kind {
	case errs.Conflict, errs.Invalid, errs.Forbidden, errs.NotFound:
		return errs.New(e.Kind, e.Code, e.Message).WithFields(e.Fields...).WithCause(err)
	default:
		return err
	}
}
