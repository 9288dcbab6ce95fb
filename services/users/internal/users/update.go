package users

import (
	"cmp"
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/person"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/users/api"
)

// Replace replaces a user's profile.
func (s *Service) Replace(ctx context.Context, in *api.ReplaceUserRequest) (*api.UserResponse, error) {
	b := in.Body
	return s.change(ctx, in.ID, in.IfMatch, api.ProfileChange{FullName: &b.FullName, Locale: &b.Locale, TimeZone: &b.TimeZone})
}

// Update changes parts of a user's profile.
func (s *Service) Update(ctx context.Context, in *api.UpdateUserRequest) (*api.UserResponse, error) {
	return s.change(ctx, in.ID, in.IfMatch, in.Body)
}

// UpdateMe changes parts of the caller's own profile.
func (s *Service) UpdateMe(ctx context.Context, in *api.UpdateMeRequest) (*api.UserResponse, error) {
	id, err := s.me(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := s.find(ctx, id); err != nil {
		return nil, err
	}
	return s.change(ctx, id.String(), in.IfMatch, in.Body)
}

// change is every change of a profile. One that changes nothing leaves the version as it is and tells nobody. Somebody else's is acting on
// their account, which is auth's to allow; one's own needs nobody.
func (s *Service) change(ctx context.Context, rawID, ifMatch string, c api.ProfileChange) (*api.UserResponse, error) {
	id, err := parseID(rawID)
	if err != nil {
		return nil, err
	}
	if !own(ctx, id) {
		if err := s.ready(ctx, id, ifMatch, alive); err != nil {
			return nil, err
		}
		if _, err := s.Accounts.MayEdit(ctx, &auth.AccountActionRequest{AccountID: id}); err != nil {
			return nil, asOwn(err)
		}
	}
	var u User
	err = s.Store.InTx(ctx, func(tx Tx) error {
		if u, err = lock(ctx, tx, id, ifMatch); err != nil {
			return err
		}
		if err = alive(u.Status); err != nil {
			return err
		}
		p, err := merged(u.Profile, c)
		if err != nil {
			return err
		}
		if p == u.Profile {
			return nil
		}
		now := s.now()
		if u, err = tx.SetProfile(ctx, id, p, now); err != nil {
			return err
		}
		if err := audit(ctx, tx, id, "user.updated", now); err != nil {
			return err
		}
		return publish(ctx, tx, api.UserUpdated, id, updated(u))
	})
	if err != nil {
		return nil, err
	}
	return response(u), nil
}

// merged is the profile after the change, or what is wrong with each field of it.
func merged(p Profile, c api.ProfileChange) (Profile, error) {
	var nameErr, localeErr, zoneErr error
	if c.FullName != nil {
		p.FullName, nameErr = person.Name("body.full_name", *c.FullName)
	}
	if c.Locale != nil {
		p.Locale, localeErr = person.Locale("body.locale", cmp.Or(*c.Locale, DefaultLocale))
	}
	if c.TimeZone != nil {
		p.TimeZone, zoneErr = person.TimeZone("body.time_zone", cmp.Or(*c.TimeZone, DefaultTimeZone))
	}
	return p, allOf(nameErr, localeErr, zoneErr)
}

// TellUpdated tells others what they keep a copy of, after a change that an event brought. A user that is not there is no matter.
func TellUpdated(ctx context.Context, tx Tx, id uuid.UUID) error {
	u, err := tx.LockUser(ctx, id)
	if errors.Is(err, errs.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return publish(ctx, tx, api.UserUpdated, id, updated(u))
}

// updated is what others keep a copy of. A value that was saved before its rule became stricter is left out, and they keep what they have:
// they would refuse all of it, now and with every later change, because of something that the person did not change.
func updated(u User) api.UserUpdatedData {
	return api.UserUpdatedData{
		UserID:   u.ID,
		Version:  u.Version,
		Email:    u.Email,
		FullName: good(person.Name, u.FullName),
		Locale:   good(person.Locale, u.Locale),
		TimeZone: good(person.TimeZone, u.TimeZone),
	}
}

// good is a value that a rule accepts, or "".
func good(rule func(field, raw string) (string, error), value string) string {
	value, err := rule("", value)
	if err != nil {
		return ""
	}
	return value
}
