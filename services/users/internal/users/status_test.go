package users_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/services/users/internal/users"
)

// acts are the requests that change a status.
func (b *bundle) acts() map[auth.Verb]func(context.Context, *api.UserActionRequest) error {
	of := func(f func(context.Context, *api.UserActionRequest) (*api.UserResponse, error)) func(context.Context, *api.UserActionRequest) error {
		return func(ctx context.Context, in *api.UserActionRequest) error { _, err := f(ctx, in); return err }
	}
	return map[auth.Verb]func(context.Context, *api.UserActionRequest) error{
		auth.VerbDeactivate: of(b.Deactivate),
		auth.VerbActivate:   of(b.Activate),
		auth.VerbRestore:    of(b.Restore),
		auth.VerbDelete:     func(ctx context.Context, in *api.UserActionRequest) error { _, err := b.Delete(ctx, in); return err },
	}
}

// follow lets an event of auth arrive.
func (b *bundle) follow(ctx context.Context, id uuid.UUID, is auth.Standing, version int64) {
	b.t.Helper()
	require.NoError(b.t, b.Store.InTx(ctx, func(tx users.Tx) error {
		_, err := users.Follow(ctx, tx, users.Standing{Account: id, Is: is, Version: version, By: "boss", At: b.now, Grace: grace})
		return err
	}))
}

// last is the data of the newest event about a user.
func last[T any](b *bundle, id uuid.UUID) T {
	b.t.Helper()
	all := column[[]byte](b, "SELECT data FROM outbox WHERE subject = $1 ORDER BY seq", id.String())
	require.NotEmpty(b.t, all)
	var out T
	require.NoError(b.t, json.Unmarshal(all[len(all)-1], &out))
	return out
}

// Who was deactivated comes back deactivated: one change, one version, one event, which says so.
func TestRestoreOfADeactivatedUserKeepsThemOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.add()
	in := &api.UserActionRequest{ID: id.String()}
	_, err := b.Deactivate(t.Context(), in)
	require.NoError(t, err)
	b.delete(id)
	out, err := b.Restore(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, users.StatusDeactivated, out.Body.Status)
	require.Equal(t, []string{api.UserDeactivated.Name, api.UserDeleted.Name, api.UserRestored.Name}, b.told(id))
	require.Equal(t, api.UserStatusData{UserID: id, Version: 4, Status: users.StatusDeactivated, At: b.now}, last[api.UserStatusData](b, id))
}

func TestActsOnADeletedUser(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.add()
	b.delete(id)
	b.auth.asked = nil
	for _, verb := range []auth.Verb{auth.VerbDeactivate, auth.VerbActivate} {
		err := b.acts()[verb](t.Context(), &api.UserActionRequest{ID: id.String()})
		require.Equal(t, "user_deleted", errs.From(err).Code)
	}
	require.Empty(t, b.auth.asked, "what users knows needs nobody")
}

// What auth refuses, or cannot be asked, changes nothing here; the caller hears why.
func TestAuthDecides(t *testing.T) {
	t.Parallel()
	away := errs.New(errs.Unavailable, "upstream_unavailable", "Away.")
	for _, refusal := range []*errs.Error{
		errs.New(errs.Forbidden, "stronger_target", "Stronger."), errs.New(errs.Conflict, "last_admin", "Last."),
		errs.New(errs.Conflict, "own_administration", "Own."), errs.New(errs.Unauthenticated, "token_revoked", "Revoked."),
		errs.New(errs.NotFound, "user_not_found", "No."), away,
	} {
		t.Run(refusal.Code, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			id, gone := b.add(), b.add()
			b.delete(gone)
			before := []users.User{b.user(id), b.user(gone)}
			b.auth.refuse = refusal
			for verb, act := range b.acts() {
				target := id
				if verb == auth.VerbRestore {
					target = gone
				}
				err := act(as(t.Context(), newID()), &api.UserActionRequest{ID: target.String()})
				require.ErrorIs(t, err, refusal.Kind, verb)
				require.Equal(t, refusal.Code, errs.From(err).Code, verb)
			}
			name := "Mallory"
			_, err := b.Update(as(t.Context(), newID()), &api.UpdateUserRequest{ID: id.String(), Body: api.ProfileChange{FullName: &name}})
			require.Equal(t, refusal.Code, errs.From(err).Code)
			_, err = b.Replace(as(t.Context(), newID()), &api.ReplaceUserRequest{ID: id.String(), Body: api.Profile{FullName: name, Locale: "en", TimeZone: "UTC"}})
			require.Equal(t, refusal.Code, errs.From(err).Code)
			require.Equal(t, before, []users.User{b.user(id), b.user(gone)})
			require.Empty(t, b.told(id))
		})
	}
}

// A stale version is refused before auth is asked, for nothing can take back what auth has done.
func TestStaleVersionsAskNobody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.add()
	for verb, act := range b.acts() {
		err := act(as(t.Context(), newID()), &api.UserActionRequest{ID: id.String(), IfMatch: `"7"`})
		require.ErrorIs(t, err, errs.Precondition, verb)
	}
	require.Empty(t, b.auth.asked)
}

// One's own profile needs nobody, so that it can be changed while auth is away.
func TestOwnProfileAsksNobody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.add()
	b.auth.refuse = errs.New(errs.Unavailable, "away", "Away.")
	name := "Ada King"
	_, err := b.Update(as(t.Context(), id), &api.UpdateUserRequest{ID: id.String(), Body: api.ProfileChange{FullName: &name}})
	require.NoError(t, err)
	require.Empty(t, b.auth.asked)
}

// Auth has decided, and users could not keep it: a repeated request finishes it, and so does auth's event, whichever comes first.
func TestACrashBetweenTheStepsHeals(t *testing.T) {
	t.Parallel()
	for verb, event := range map[auth.Verb]string{
		auth.VerbDeactivate: api.UserDeactivated.Name,
		auth.VerbActivate:   api.UserActivated.Name,
		auth.VerbDelete:     api.UserDeleted.Name,
		auth.VerbRestore:    api.UserRestored.Name,
	} {
		crash := func(t *testing.T) (*bundle, uuid.UUID, func() error) {
			t.Helper()
			b := setup(t)
			id := b.add()
			switch verb {
			case auth.VerbActivate:
				require.NoError(t, b.acts()[auth.VerbDeactivate](t.Context(), &api.UserActionRequest{ID: id.String()}))
			case auth.VerbRestore:
				b.delete(id)
			default:
			}
			before := b.user(id)
			act := func() error { return b.acts()[verb](as(t.Context(), newID()), &api.UserActionRequest{ID: id.String()}) }
			mend := b.breakTable("outbox")
			require.ErrorIs(t, act(), errs.Unavailable)
			mend()
			require.Equal(t, before, b.user(id), "it is not done here")
			return b, id, act
		}
		arrive := func(b *bundle, id uuid.UUID) {
			stands := b.auth.by[id]
			b.follow(t.Context(), id, stands.is, stands.version)
		}
		done := func(t *testing.T, b *bundle, id uuid.UUID) {
			t.Helper()
			told, u := b.told(id), b.user(id)
			require.Equal(t, event, told[len(told)-1])
			require.EqualValues(t, 1+len(told), u.Version, "one version and one event for each change: %v", told)
			require.Equal(t, b.auth.by[id].version, u.StandingVersion)
			require.Len(t, b.trail(id), len(told))
		}
		t.Run(string(verb)+" by a repeated request", func(t *testing.T) {
			t.Parallel()
			b, id, act := crash(t)
			require.NoError(t, act())
			done(t, b, id)
			arrive(b, id)
			done(t, b, id)
		})
		t.Run(string(verb)+" by the event", func(t *testing.T) {
			t.Parallel()
			b, id, _ := crash(t)
			arrive(b, id)
			done(t, b, id)
			arrive(b, id)
			done(t, b, id)
		})
	}
}

// The event was quicker than the request that caused it: the request finds everything done.
func TestTheEventIsQuicker(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.add()
	quick := b.Accounts.Deactivate
	b.Accounts.Deactivate = func(ctx context.Context, in *auth.AccountActionRequest) (*auth.StandingResponse, error) {
		out, err := quick(ctx, in)
		b.follow(ctx, id, out.Standing, out.Version)
		return out, err
	}
	out, err := b.Deactivate(as(t.Context(), newID()), &api.UserActionRequest{ID: id.String(), IfMatch: `"1"`})
	require.NoError(t, err)
	require.Equal(t, users.StatusDeactivated, out.Body.Status)
	require.Equal(t, `"2"`, out.ETag)
	require.Equal(t, []string{api.UserDeactivated.Name}, b.told(id))
	require.Equal(t, []string{"user.deactivated by boss"}, b.trail(id))
}

// Whatever comes late, twice, or after something newer changes nothing.
func TestFollow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.add()
	b.follow(t.Context(), id, auth.StandingDeleted, 4)
	u := b.user(id)
	require.Equal(t, users.StatusDeleted, u.Status)
	require.True(t, b.now.Add(grace).Equal(*u.EraseAt))
	for version, is := range map[int64]auth.Standing{1: auth.StandingDisabled, 2: auth.StandingActive, 4: auth.StandingActive} {
		b.follow(t.Context(), id, is, version)
		require.Equal(t, u, b.user(id), version)
	}
	b.follow(t.Context(), id, auth.StandingDeleted, 6)
	u.StandingVersion = 6
	require.Equal(t, u, b.user(id), "the same standing under a later version is no change")
	b.follow(t.Context(), id, auth.StandingActive, 5)
	require.Equal(t, u, b.user(id), "and what is older than that is old")
	b.follow(t.Context(), id, "suspended", 7)
	require.Equal(t, users.StatusDeactivated, b.user(id).Status, "a standing that nobody knows keeps people out")
	require.Nil(t, b.user(id).EraseAt)
	b.follow(t.Context(), id, auth.StandingActive, 8)
	require.Equal(t, users.StatusActive, b.user(id).Status)
	require.Equal(t, []string{api.UserDeleted.Name, api.UserRestored.Name, api.UserActivated.Name}, b.told(id))

	pending := b.add()
	b.exec("UPDATE users SET email_verified = false, status = 'pending' WHERE id = $1", pending)
	b.follow(t.Context(), pending, auth.StandingDisabled, 1)
	b.follow(t.Context(), pending, auth.StandingActive, 2)
	require.Equal(t, users.StatusPending, b.user(pending).Status, "who has not proved the address goes on waiting for that")
}
