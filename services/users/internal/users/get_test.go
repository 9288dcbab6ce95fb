package users_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/services/users/internal/store"
	"github.com/atrium-mesh/atrium/services/users/internal/users"
)

func TestGet(t *testing.T) {
	t.Parallel()

	t.Run("what is no id names nobody", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.Get(t.Context(), &api.GetUserRequest{ID: "everybody"})
		require.Equal(t, "user_not_found", errs.From(err).Code)
		_, err = b.Update(t.Context(), &api.UpdateUserRequest{ID: "everybody"})
		require.Equal(t, "user_not_found", errs.From(err).Code)
		_, err = b.Activate(t.Context(), &api.UserActionRequest{ID: "everybody"})
		require.Equal(t, "user_not_found", errs.From(err).Code)
	})
	t.Run("auth is not asked for somebody else", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.Get(as(t.Context(), newID(), "users:read"), &api.GetUserRequest{ID: newID().String()})
		require.Equal(t, "user_not_found", errs.From(err).Code)
		require.Zero(t, b.gets)
	})
	t.Run("my own needs somebody who is signed in", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.GetMe(t.Context(), &api.GetMeRequest{})
		require.ErrorIs(t, err, errs.Unauthenticated)
		_, err = b.UpdateMe(t.Context(), &api.UpdateMeRequest{})
		require.ErrorIs(t, err, errs.Unauthenticated)
	})
}

func TestAdopt(t *testing.T) {
	t.Parallel()

	t.Run("an account becomes a user with defaults", func(t *testing.T) {
		t.Parallel()
		b, id := setup(t), newID()
		b.get = func(id uuid.UUID) (*auth.GetAccountResponse, error) {
			return &auth.GetAccountResponse{ID: id, Email: "eve@example.com", FullName: "Eve", CreatedAt: b.now}, nil
		}
		me, err := b.GetMe(as(t.Context(), id), &api.GetMeRequest{})
		require.NoError(t, err)
		require.Equal(t, api.User{
			ID: id.String(), Email: "eve@example.com", FullName: "Eve", Locale: users.DefaultLocale, TimeZone: users.DefaultTimeZone,
			Status: users.StatusPending, Roles: []string{}, CreatedAt: b.now, UpdatedAt: b.now,
		}, me.Body)
		_, err = b.GetMe(as(t.Context(), id), &api.GetMeRequest{})
		require.NoError(t, err)
		require.Equal(t, 1, b.gets, "auth is asked once")
	})
	t.Run("the user stands as the account does, and what was told before changes nothing", func(t *testing.T) {
		t.Parallel()
		for is, want := range map[auth.Standing]string{
			auth.StandingActive:   users.StatusActive,
			auth.StandingDisabled: users.StatusDeactivated,
			auth.StandingDeleted:  users.StatusDeleted,
		} {
			b, id := setup(t), newID()
			b.get = func(id uuid.UUID) (*auth.GetAccountResponse, error) {
				return &auth.GetAccountResponse{
					ID:              id,
					Email:           "eve@example.com",
					FullName:        "Eve",
					Verified:        true,
					Status:          string(is),
					StandingVersion: 4,
					Roles:           []string{"support"},
					RolesVersion:    3,
					CreatedAt:       b.now,
				}, nil
			}
			me, err := b.GetMe(as(t.Context(), id), &api.GetMeRequest{})
			require.NoError(t, err)
			require.Equal(t, want, me.Body.Status)
			require.NoError(t, b.Store.InTx(t.Context(), func(tx users.Tx) error {
				_, err := users.Follow(t.Context(), tx, users.Standing{Account: id, Is: auth.StandingActive, Version: 3, At: b.now})
				require.NoError(t, err)
				return tx.(*store.Tx).SetRoles(t.Context(), id, []string{"user"}, 2, b.now)
			}))
			require.Equal(t, want, b.user(id).Status)
			require.Equal(t, []string{"support"}, b.user(id).Roles)
		}
	})
	t.Run("an account from before a rule gets in", func(t *testing.T) {
		t.Parallel()
		for name, want := range map[string]string{"": "eve", "Eve\u202e": "eve", strings.Repeat("e", 300): "eve", "Eve": "Eve"} {
			b, id := setup(t), newID()
			b.get = func(id uuid.UUID) (*auth.GetAccountResponse, error) {
				return &auth.GetAccountResponse{ID: id, Email: "eve@example.com", FullName: name, Locale: "xx", CreatedAt: b.now}, nil
			}
			me, err := b.GetMe(as(t.Context(), id), &api.GetMeRequest{})
			require.NoError(t, err)
			require.Equal(t, want, me.Body.FullName)
			require.Equal(t, users.DefaultLocale, me.Body.Locale)
		}
	})
	t.Run("who was erased is nobody", func(t *testing.T) {
		t.Parallel()
		b, id := setup(t), newID()
		b.get = func(id uuid.UUID) (*auth.GetAccountResponse, error) {
			return &auth.GetAccountResponse{ID: id, Email: "eve@example.com", FullName: "Eve", Status: "active", CreatedAt: b.now}, nil
		}
		require.NoError(t, b.Store.InTx(t.Context(), func(tx users.Tx) error { return users.Disown(t.Context(), tx, id, b.now) }))
		_, err := b.GetMe(as(t.Context(), id), &api.GetMeRequest{})
		require.Equal(t, "user_not_found", errs.From(err).Code)
		b.get = func(id uuid.UUID) (*auth.GetAccountResponse, error) {
			return &auth.GetAccountResponse{ID: id, Status: "erased", CreatedAt: b.now}, nil
		}
		_, err = b.GetMe(as(t.Context(), newID()), &api.GetMeRequest{})
		require.Equal(t, "user_not_found", errs.From(err).Code)
		require.Empty(t, column[uuid.UUID](b, "SELECT id FROM users"))
	})
	t.Run("there is no account", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.GetMe(as(t.Context(), newID()), &api.GetMeRequest{})
		require.Equal(t, "user_not_found", errs.From(err).Code, "and not what auth calls it")
	})
	t.Run("auth is away", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.get = func(uuid.UUID) (*auth.GetAccountResponse, error) {
			return nil, errs.New(errs.Unavailable, "no_responders", "Nobody answers.")
		}
		_, err := b.GetMe(as(t.Context(), newID()), &api.GetMeRequest{})
		require.ErrorIs(t, err, errs.Unavailable)
		name := "Eve"
		_, err = b.UpdateMe(as(t.Context(), newID()), &api.UpdateMeRequest{Body: api.ProfileChange{FullName: &name}})
		require.ErrorIs(t, err, errs.Unavailable)
	})
	t.Run("the user cannot be saved", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.get = func(id uuid.UUID) (*auth.GetAccountResponse, error) {
			return &auth.GetAccountResponse{ID: id, Email: "eve@example.com", FullName: "Eve", CreatedAt: b.now}, nil
		}
		b.breakTable("users")
		_, err := b.GetMe(as(t.Context(), newID()), &api.GetMeRequest{})
		require.ErrorIs(t, err, errs.Unavailable)
	})
}
