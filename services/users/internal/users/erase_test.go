package users_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/request"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/services/users/internal/users"
)

func TestEraseDue(t *testing.T) {
	t.Parallel()

	t.Run("batch after batch, when the grace period is over", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		var due []uuid.UUID
		for range 5 {
			id := b.add()
			b.delete(id)
			due = append(due, id)
		}
		b.now = b.now.Add(time.Second)
		later, alive := b.add(), b.add()
		b.delete(later)

		b.now = b.now.Add(grace - 2*time.Second)
		require.Equal(t, 0, erase(t, b, 2), "not yet")
		b.now = b.now.Add(time.Second)
		for _, want := range []int{2, 2, 1, 0} {
			require.Equal(t, want, erase(t, b, 2))
		}
		left := column[uuid.UUID](b, "SELECT id FROM users ORDER BY id")
		require.Equal(t, []uuid.UUID{later, alive}, left)
		for _, id := range due {
			require.Equal(t, []string{"user.deleted by system", "user.erased by system"}, b.trail(id))
			require.Equal(t, []string{api.UserDeleted.Name, api.UserErased.Name}, b.told(id))
		}
	})
	t.Run("the address goes, from what they did to others as well", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		gone, other := b.add(), b.add()
		ctx := request.With(t.Context(), request.Request{ID: "req-1", ClientIP: "203.0.113.7"})
		for actor, id := range map[uuid.UUID]uuid.UUID{gone: other, other: gone} {
			_, err := b.Delete(as(ctx, actor), &api.UserActionRequest{ID: id.String()})
			require.NoError(t, err)
		}
		b.exec("UPDATE users SET deleted_at = NULL, status = 'active' WHERE id = '" + other.String() + "'")
		b.now = b.now.Add(grace)
		require.Equal(t, 1, erase(t, b, 10))
		require.Equal(t, []string{" req-1"}, column[string](b, "SELECT ip || ' ' || request_id FROM audit_log WHERE actor = $1", gone.String()))
		require.Equal(t, []string{"203.0.113.7 req-1"}, column[string](b, "SELECT ip || ' ' || request_id FROM audit_log WHERE actor = $1", other.String()))
	})
	t.Run("who was erased is never made again, whatever the audit trail keeps", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		deleted, disowned, unknown := b.add(), b.add(), newID()
		b.delete(deleted)
		b.now = b.now.Add(grace)
		require.Equal(t, 1, erase(t, b, 10))
		for _, id := range []uuid.UUID{disowned, unknown} {
			require.NoError(t, b.Store.InTx(t.Context(), func(tx users.Tx) error { return users.Disown(t.Context(), tx, id, b.now) }))
		}
		b.exec("DELETE FROM audit_log")
		for _, id := range []uuid.UUID{deleted, disowned, unknown} {
			n, err := users.NewUser{ID: id, Email: "ada@example.com", Profile: users.Profile{FullName: "Ada"}, CreatedAt: b.now}.Parse("data")
			require.NoError(t, err)
			require.NoError(t, b.Store.InTx(t.Context(), func(tx users.Tx) error { return tx.EnsureUser(t.Context(), n) }))
			require.NoError(t, b.Store.InTx(t.Context(), func(tx users.Tx) error { return users.Disown(t.Context(), tx, id, b.now) }))
		}
		require.Empty(t, column[uuid.UUID](b, "SELECT id FROM users"))
		require.Empty(t, b.trail(disowned), "it was told once")
	})
	t.Run("what somebody else holds is left to them", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		held, free := b.add(), b.add()
		b.delete(held)
		b.delete(free)
		b.now = b.now.Add(grace)
		tx, err := b.pool.Begin(t.Context())
		require.NoError(t, err)
		_, err = tx.Exec(t.Context(), "SELECT FROM users WHERE id = $1 FOR UPDATE", held)
		require.NoError(t, err)
		n := erase(t, b, 10)
		require.NoError(t, tx.Rollback(t.Context()))
		require.Equal(t, 1, n)
		require.Equal(t, []uuid.UUID{held}, column[uuid.UUID](b, "SELECT id FROM users"))
	})
	t.Run("nobody is erased without the event that makes others forget them", func(t *testing.T) {
		t.Parallel()
		for _, table := range []string{"outbox", "audit_log"} {
			b := setup(t)
			id := b.add()
			b.delete(id)
			b.now = b.now.Add(grace)
			mend := b.breakTable(table)
			_, err := b.EraseDue(t.Context(), 10)
			require.ErrorIs(t, err, errs.Unavailable)
			mend()
			require.Equal(t, id, b.user(id).ID)
			require.False(t, slices.Contains(b.told(id), api.UserErased.Name))
		}
	})
}

func erase(t *testing.T, b *bundle, most int32) int {
	t.Helper()
	n, err := b.EraseDue(t.Context(), most)
	require.NoError(t, err)
	return n
}

// Auth removes an account at once whose address nobody has proved, when its holder deletes it: the user goes with it, once, whichever of the
// request and auth's events comes first.
func TestDelete_of_whom_auth_has_erased(t *testing.T) {
	t.Parallel()
	b := setup(t)
	event := func(id uuid.UUID) {
		require.NoError(t, b.Store.InTx(t.Context(), func(tx users.Tx) error { return users.Disown(t.Context(), tx, id, b.now) }))
	}
	for _, early := range []bool{true, false} {
		id := b.add()
		b.auth.set(id, auth.StandingErased, 1)
		if early {
			event(id)
			b.follow(t.Context(), id, auth.StandingErased, 1)
		} else {
			_, err := b.Delete(as(t.Context(), id), &api.UserActionRequest{ID: id.String()})
			require.NoError(t, err)
		}
		event(id)
		b.follow(t.Context(), id, auth.StandingErased, 1)
		require.Empty(t, column[uuid.UUID](b, "SELECT id FROM users WHERE id = $1", id))
		require.Equal(t, []string{api.UserErased.Name}, b.told(id))
	}
}
