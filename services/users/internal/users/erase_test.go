package users_test

import (
	"slices"
	"sync"
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
		for _, want := range []int{5, 0} {
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

// Somebody restores at the very moment at which the job erases. Auth decides: either both have the person, or neither has.
func TestEraseDue_against_restore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var ids []uuid.UUID
	for range 40 {
		id := b.add()
		b.delete(id)
		ids = append(ids, id)
	}
	b.now = b.now.Add(grace)
	var wg sync.WaitGroup
	for range 2 { // two replicas
		wg.Go(func() { _, err := b.EraseDue(t.Context(), 10); require.NoError(t, err) })
	}
	for _, part := range [][]uuid.UUID{ids[:20], ids[20:]} {
		wg.Go(func() {
			for _, id := range slices.Backward(part) {
				if _, err := b.Restore(t.Context(), &api.UserActionRequest{ID: id.String()}); err != nil {
					require.Contains(t, []string{"user_not_found", "user_not_deleted"}, errs.From(err).Code)
				}
			}
		})
	}
	wg.Wait()
	_, err := b.EraseDue(t.Context(), 10)
	require.NoError(t, err)
	restored := 0
	for _, id := range ids {
		there := column[string](b, "SELECT status FROM users WHERE id = $1", id)
		if b.auth.by[id].is == auth.StandingActive {
			restored++
			require.Equal(t, []string{users.StatusActive}, there)
			continue
		}
		require.Equal(t, auth.StandingErased, b.auth.by[id].is)
		require.Empty(t, there)
		require.Equal(t, []string{api.UserDeleted.Name, api.UserErased.Name}, b.told(id), "once")
	}
	t.Logf("%d of %d were restored", restored, len(ids))
}

// Auth has decided, and users died before it heard or kept it: the next run finishes.
func TestEraseDue_after_a_crash(t *testing.T) {
	t.Parallel()
	b := setup(t)
	erased, restored, waiting := b.add(), b.add(), b.add()
	for _, id := range []uuid.UUID{erased, restored, waiting} {
		b.delete(id)
	}
	b.now = b.now.Add(grace)
	b.auth.set(erased, auth.StandingErased, 9)
	b.auth.set(restored, auth.StandingActive, 9)
	require.Equal(t, 2, erase(t, b, 1))
	require.Equal(t, []uuid.UUID{restored}, column[uuid.UUID](b, "SELECT id FROM users"))
	require.Equal(t, users.StatusActive, b.user(restored).Status)
	require.Equal(t, []string{api.UserDeleted.Name, api.UserRestored.Name}, b.told(restored))

	// A refusal keeps somebody, and nobody else; nothing is erased that auth has not erased.
	refused := b.add()
	b.delete(refused)
	b.now = b.now.Add(grace)
	b.auth.refuse = errs.New(errs.Internal, "internal", "No.")
	_, err := b.EraseDue(t.Context(), 1)
	require.ErrorIs(t, err, errs.Internal)
	require.Equal(t, users.StatusDeleted, b.user(refused).Status)
}
