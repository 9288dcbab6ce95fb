package users_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/services/users/internal/users"
)

func hopper() api.NewUser {
	return api.NewUser{Email: "grace@example.com", FullName: "Grace Hopper", TimeZone: "America/New_York"}
}

func TestCreate(t *testing.T) {
	t.Parallel()

	t.Run("a repeated request changes nothing", func(t *testing.T) {
		t.Parallel()
		b, admin := setup(t), newID()
		in := &api.CreateUserRequest{IdempotencyKey: "key", Body: hopper()}
		first, err := b.Create(as(t.Context(), admin), in)
		require.NoError(t, err)
		again, err := b.Create(as(t.Context(), admin), in)
		require.NoError(t, err)
		require.Equal(t, first, again)

		id := b.only()
		require.Equal(t, first.Body.ID, id.String())
		require.Equal(t, []string{"user.created by " + admin.String()}, b.trail(id))
		require.Equal(t, []string{"users.user.updated.v1"}, b.told(id))
	})
	t.Run("a repeated request finishes what failed", func(t *testing.T) {
		t.Parallel()
		b, ctx := setup(t), as(t.Context(), newID())
		in := &api.CreateUserRequest{IdempotencyKey: "key", Body: hopper()}
		mend := b.breakTable("users")
		_, err := b.Create(ctx, in)
		require.ErrorIs(t, err, errs.Unavailable)
		mend()
		out, err := b.Create(ctx, in)
		require.NoError(t, err)
		require.Equal(t, b.only().String(), out.Body.ID)
	})
	t.Run("the event of the account was quicker", func(t *testing.T) {
		t.Parallel()
		b, ctx := setup(t), as(t.Context(), newID())
		in := &api.CreateUserRequest{IdempotencyKey: "key", Body: hopper()}
		mend := b.breakTable("outbox")
		_, err := b.Create(ctx, in)
		require.ErrorIs(t, err, errs.Unavailable)
		mend()
		n, err := users.NewUser{Email: "grace@example.com", Profile: users.Profile{FullName: "Grace Hopper"}, CreatedAt: b.now}.Parse("data")
		require.NoError(t, err)
		n.ID = column[uuid.UUID](b, "SELECT (answer #>> '{}')::uuid FROM idempotency_keys")[0]
		require.NoError(t, b.Store.InTx(ctx, func(tx users.Tx) error { return tx.EnsureUser(ctx, n) }))

		out, err := b.Create(ctx, in)
		require.NoError(t, err)
		require.Equal(t, n.ID.String(), out.Body.ID)
		require.Equal(t, "America/New_York", out.Body.TimeZone, "what the event did not know is completed")
		require.Equal(t, `"2"`, out.ETag)
	})
	t.Run("the first request is still being handled", func(t *testing.T) {
		t.Parallel()
		b, admin := setup(t), newID()
		tx, err := b.pool.Begin(t.Context())
		require.NoError(t, err)
		_, err = tx.Exec(t.Context(), "INSERT INTO idempotency_keys (scope, key, hash) VALUES ($1, 'key', '')", "create-user:"+admin.String())
		require.NoError(t, err)
		_, err = b.Create(as(t.Context(), admin), &api.CreateUserRequest{IdempotencyKey: "key", Body: hopper()})
		require.NoError(t, tx.Rollback(t.Context()))
		require.ErrorIs(t, err, errs.Conflict)
		require.Equal(t, "idempotency_in_progress", errs.From(err).Code)
		require.Positive(t, errs.From(err).RetryAfter)
		require.Empty(t, column[string](b, "SELECT id::text FROM users"))
	})
	t.Run("keys of different callers never meet", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for _, email := range []string{"a@example.com", "b@example.com"} {
			_, err := b.Create(as(t.Context(), newID()), &api.CreateUserRequest{IdempotencyKey: "key", Body: api.NewUser{Email: email, FullName: "X"}})
			require.NoError(t, err)
		}
		require.Len(t, column[string](b, "SELECT id::text FROM users"), 2)
	})
	t.Run("everything wrong is said at once", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.Create(as(t.Context(), newID()), &api.CreateUserRequest{Body: api.NewUser{
			Email: "\u202eeve@example.com", FullName: " ", Locale: "en-YY", TimeZone: "Nowhere",
		}})
		require.ErrorIs(t, err, errs.Invalid)
		var codes []string
		for _, f := range errs.From(err).Fields {
			codes = append(codes, f.Field+": "+f.Code)
		}
		require.Equal(t, []string{
			"body.full_name: required", "body.locale: unknown_locale", "body.time_zone: unknown_time_zone", "body.email: format",
		}, codes)
	})
}
