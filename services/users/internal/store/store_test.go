package store_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
	"github.com/atrium-mesh/atrium/services/users/internal/store"
	"github.com/atrium-mesh/atrium/services/users/internal/store/migrations"
	"github.com/atrium-mesh/atrium/services/users/internal/users"
)

func TestOrderIsOneOfThose(t *testing.T) {
	t.Parallel()
	s := store.New(pgtest.New(t, nil))
	_, err := s.List(t.Context(), users.Filter{}, users.Order{By: "id; DROP TABLE users"}, users.Slice{})
	require.ErrorContains(t, err, "no order by")
}

func TestErrorsAreTyped(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t, migrations.FS)
	s := store.New(pool)
	_, err := s.User(t.Context(), uuid.Must(uuid.NewV7()))
	require.ErrorIs(t, err, errs.NotFound)
	pool.Close()
	ctx, order := t.Context(), users.Order{By: users.ByEmail}
	for name, read := range map[string]func() error{
		"user":        func() error { _, err := s.User(ctx, uuid.UUID{}); return err },
		"list":        func() error { _, err := s.List(ctx, users.Filter{}, order, users.Slice{}); return err },
		"count":       func() error { _, err := s.Count(ctx, users.Filter{}); return err },
		"transaction": func() error { return s.InTx(ctx, func(users.Tx) error { return nil }) },
	} {
		require.ErrorIs(t, read(), errs.Unavailable, name)
	}
}

func TestCopies(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t, migrations.FS)
	s, id := store.New(pool), uuid.Must(uuid.NewV7())
	in := func(fn func(ctx context.Context, tx *store.Tx) error) users.User {
		t.Helper()
		require.NoError(t, pg.InTx(t.Context(), pool, func(tx pgx.Tx) error { return fn(t.Context(), store.WithTx(tx)) }))
		u, err := s.User(t.Context(), id)
		require.NoError(t, err)
		return u
	}
	ada, err := users.NewUser{ID: id, Email: "ada@example.com", Profile: users.Profile{FullName: "Ada"}}.Parse("data")
	require.NoError(t, err)
	u := in(func(ctx context.Context, tx *store.Tx) error { return tx.EnsureUser(ctx, ada) })
	require.Equal(t, users.StatusPending, u.Status)
	require.Empty(t, u.Roles)

	at := u.UpdatedAt.AddDate(3000, 0, 0)
	roles := func(version int64, names ...string) users.User {
		return in(func(ctx context.Context, tx *store.Tx) error { return tx.SetRoles(ctx, id, names, version, at) })
	}
	require.Equal(t, []string{"admin"}, roles(2, "admin").Roles)
	require.Equal(t, []string{"admin"}, roles(1, "user").Roles, "an older version is not taken")
	require.Equal(t, []string{"admin"}, roles(2, "user").Roles, "nor the same again")
	u = roles(3)
	require.Empty(t, u.Roles, "somebody may have none")
	require.EqualValues(t, 3, u.Version)

	u = in(func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.SetStanding(ctx, id, users.Stand{Status: users.StatusDeleted, Version: 1, DeletedAt: &at, EraseAt: &at, Now: at})
		return err
	})
	u = in(func(ctx context.Context, tx *store.Tx) error {
		return tx.MarkVerified(ctx, id, "ada@example.org", "", at)
	})
	require.Equal(t, users.StatusDeleted, u.Status, "who is deleted stays deleted")
	require.Equal(t, "ada@example.org", u.Email)
	require.True(t, u.EmailVerified, "and is restored as verified")
	require.True(t, at.Equal(*u.EraseAt))
	version := u.Version
	u = in(func(ctx context.Context, tx *store.Tx) error { return tx.NoteStanding(ctx, id, 2) })
	require.EqualValues(t, 2, u.StandingVersion)
	require.Equal(t, version, u.Version, "which is no change")
	u = in(func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.SetStanding(ctx, id, users.Stand{Status: users.StatusActive, Version: 3, Now: at})
		return err
	})
	require.EqualValues(t, 3, u.StandingVersion)
	require.Nil(t, u.DeletedAt)
	require.Nil(t, u.EraseAt)

	version = u.Version
	u = in(func(ctx context.Context, tx *store.Tx) error { return tx.SetLastSignIn(ctx, id, at) })
	require.Equal(t, version, u.Version, "signing in is no change")
	u = in(func(ctx context.Context, tx *store.Tx) error { return tx.SetLastSignIn(ctx, id, at.AddDate(-1, 0, 0)) })
	require.True(t, at.Equal(*u.LastSignInAt), "an older event does not win")
}
