package users_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/request"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/services/users/internal/users"
)

// change is something that is done to one user, with what it leaves.
type change struct {
	prepare func(b *bundle, id uuid.UUID)
	do      func(ctx context.Context, b *bundle, id string) error
	action  string
	event   string
}

func changes() map[string]change {
	action := func(f func(*users.Service, context.Context, *api.UserActionRequest) (*api.UserResponse, error)) func(context.Context, *bundle, string) error {
		return func(ctx context.Context, b *bundle, id string) error {
			_, err := f(b.Service, ctx, &api.UserActionRequest{ID: id})
			return err
		}
	}
	return map[string]change{
		"update": {
			do: func(ctx context.Context, b *bundle, id string) error {
				name := "Ada King"
				_, err := b.Update(ctx, &api.UpdateUserRequest{ID: id, Body: api.ProfileChange{FullName: &name}})
				return err
			},
			action: "user.updated", event: api.UserUpdated.Name,
		},
		"deactivate": {do: action((*users.Service).Deactivate), action: "user.deactivated", event: api.UserDeactivated.Name},
		"activate": {
			prepare: func(b *bundle, id uuid.UUID) {
				b.exec("UPDATE users SET status = 'deactivated', standing_version = 1 WHERE id = $1", id)
				b.auth.set(id, auth.StandingDisabled, 1)
			},
			do:     action((*users.Service).Activate),
			action: "user.activated", event: api.UserActivated.Name,
		},
		"delete": {
			do: func(ctx context.Context, b *bundle, id string) error {
				_, err := b.Delete(ctx, &api.UserActionRequest{ID: id})
				return err
			},
			action: "user.deleted", event: api.UserDeleted.Name,
		},
		"restore": {
			prepare: func(b *bundle, id uuid.UUID) {
				b.exec("UPDATE users SET status = 'deleted', standing_version = 1, deleted_at = $2, erase_at = $2 WHERE id = $1", id, b.now)
				b.auth.set(id, auth.StandingDeleted, 1)
			},
			do:     action((*users.Service).Restore),
			action: "user.restored", event: api.UserRestored.Name,
		},
	}
}

func TestChangeLeavesAuditAndEvent(t *testing.T) {
	t.Parallel()
	for name, c := range changes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, caller := setup(t), newID()
			id := b.add()
			if c.prepare != nil {
				c.prepare(b, id)
			}
			ctx := request.With(t.Context(), request.Request{ID: "req-1", ClientIP: "203.0.113.7"})
			require.NoError(t, c.do(as(ctx, caller), b, id.String()))
			require.Equal(t, []string{"203.0.113.7 req-1"}, column[string](b, "SELECT ip || ' ' || request_id FROM audit_log WHERE actor = $1", caller.String()))
			require.Equal(t, []string{c.action + " by " + caller.String()}, b.trail(id))
			require.Equal(t, []string{c.event}, b.told(id))
			require.EqualValues(t, 2, b.user(id).Version)
		})
	}
}

// What was saved before a rule became stricter is not told: others would refuse all that comes with it, for ever.
func TestChangeBesideWhatNoRuleAcceptsAnyMore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.add()
	b.exec("UPDATE users SET full_name = E'Ada\u202e', locale = 'xx', time_zone = 'localtime'")
	told := func() (data api.UserUpdatedData) {
		t.Helper()
		all := column[[]byte](b, "SELECT data FROM outbox ORDER BY seq")
		require.NoError(t, json.Unmarshal(all[len(all)-1], &data))
		return data
	}
	change := func(c api.ProfileChange) {
		t.Helper()
		_, err := b.Update(as(t.Context(), id), &api.UpdateUserRequest{ID: id.String(), Body: c})
		require.NoError(t, err)
	}
	name, locale, zone := "Ada", "de", "Europe/Vienna"
	change(api.ProfileChange{TimeZone: &zone})
	require.Equal(t, api.UserUpdatedData{UserID: id, Version: 2, Email: told().Email, TimeZone: zone}, told())
	change(api.ProfileChange{Locale: &locale})
	require.Equal(t, api.UserUpdatedData{UserID: id, Version: 3, Email: told().Email, Locale: locale, TimeZone: zone}, told())
	change(api.ProfileChange{FullName: &name})
	require.Equal(t, api.UserUpdatedData{UserID: id, Version: 4, Email: told().Email, FullName: name, Locale: locale, TimeZone: zone}, told())
}

func TestChangeIsAllOrNothing(t *testing.T) {
	t.Parallel()
	for name, c := range changes() {
		for _, table := range []string{"outbox", "audit_log"} {
			t.Run(name+" without "+table, func(t *testing.T) {
				t.Parallel()
				b := setup(t)
				id := b.add()
				if c.prepare != nil {
					c.prepare(b, id)
				}
				before := b.user(id)
				mend := b.breakTable(table)
				require.ErrorIs(t, c.do(as(t.Context(), newID()), b, id.String()), errs.Unavailable)
				mend()
				require.Equal(t, before, b.user(id))
				require.Empty(t, b.trail(id))
				require.Empty(t, b.told(id))
			})
		}
	}
}

func TestChangeOfNobody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range changes() {
		err := c.do(as(t.Context(), newID()), b, newID().String())
		require.Equal(t, "user_not_found", errs.From(err).Code, name)
	}
}
