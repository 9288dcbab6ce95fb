package idempotency_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/idempotency"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
)

type answer struct {
	ID string `json:"id"`
}

func keyOf(t *testing.T, key, request string) idempotency.Key {
	t.Helper()
	hash, err := idempotency.HashOf(request)
	require.NoError(t, err)
	return idempotency.Key{Scope: "create-user:ada", Key: key, Hash: hash}
}

func do(t *testing.T, pool *pgxpool.Pool, key idempotency.Key, fn func() (answer, error)) (out answer, replayed bool, err error) {
	t.Helper()
	err = pg.InTx(t.Context(), pool, func(tx pgx.Tx) error {
		var err error
		out, replayed, err = idempotency.Do(t.Context(), tx, key, fn)
		return err
	})
	return out, replayed, err
}

func gives(id string) func() (answer, error) {
	return func() (answer, error) { return answer{ID: id}, nil }
}

func TestDo(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t, nil)

	t.Run("the same request gets the first answer", func(t *testing.T) {
		t.Parallel()
		out, replayed, err := do(t, pool, keyOf(t, "same", "x"), gives("1"))
		require.NoError(t, err)
		require.False(t, replayed)
		require.Equal(t, "1", out.ID)
		out, replayed, err = do(t, pool, keyOf(t, "same", "x"), gives("2"))
		require.NoError(t, err)
		require.True(t, replayed)
		require.Equal(t, "1", out.ID)
	})

	t.Run("another request with the same key is refused", func(t *testing.T) {
		t.Parallel()
		_, _, err := do(t, pool, keyOf(t, "reused", "x"), gives("1"))
		require.NoError(t, err)
		_, _, err = do(t, pool, keyOf(t, "reused", "y"), gives("2"))
		require.ErrorIs(t, err, errs.Invalid)
		require.Equal(t, "idempotency_key_reused", errs.From(err).Code)
	})

	t.Run("another caller's key is another key", func(t *testing.T) {
		t.Parallel()
		key := keyOf(t, "scope", "x")
		_, _, err := do(t, pool, key, gives("1"))
		require.NoError(t, err)
		key.Scope = "create-user:bob"
		out, replayed, err := do(t, pool, key, gives("2"))
		require.NoError(t, err)
		require.False(t, replayed)
		require.Equal(t, "2", out.ID)
	})

	t.Run("a failure is not remembered", func(t *testing.T) {
		t.Parallel()
		mine := errors.New("mine")
		_, _, err := do(t, pool, keyOf(t, "fails", "x"), func() (answer, error) { return answer{}, mine })
		require.ErrorIs(t, err, mine)
		out, replayed, err := do(t, pool, keyOf(t, "fails", "x"), gives("2"))
		require.NoError(t, err)
		require.False(t, replayed)
		require.Equal(t, "2", out.ID)
	})

	t.Run("without a key there is nothing to remember", func(t *testing.T) {
		t.Parallel()
		for _, id := range []string{"1", "2"} {
			out, replayed, err := do(t, pool, idempotency.Key{Scope: "s"}, gives(id))
			require.NoError(t, err)
			require.False(t, replayed)
			require.Equal(t, id, out.ID)
		}
	})

	t.Run("a bad key", func(t *testing.T) {
		t.Parallel()
		for _, key := range []string{strings.Repeat("x", 256), "line\nbreak", "ünicode", "\x00"} {
			_, _, err := do(t, pool, keyOf(t, key, "x"), gives("1"))
			require.ErrorIs(t, err, errs.Invalid)
			require.Equal(t, "header.Idempotency-Key", errs.From(err).Fields[0].Field)
		}
	})

	t.Run("an old key is forgotten", func(t *testing.T) {
		t.Parallel()
		_, _, err := do(t, pool, keyOf(t, "old", "x"), gives("1"))
		require.NoError(t, err)
		_, err = pool.Exec(t.Context(), "UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = 'old'")
		require.NoError(t, err)
		out, replayed, err := do(t, pool, keyOf(t, "old", "y"), gives("2"))
		require.NoError(t, err)
		require.False(t, replayed)
		require.Equal(t, "2", out.ID)
	})
}

func TestDoConcurrently(t *testing.T) {
	t.Parallel()

	t.Run("one of many has the effect", func(t *testing.T) {
		t.Parallel()
		pool := pgtest.New(t, nil)
		var mu sync.Mutex
		effects := 0
		answers := map[string]int{}
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				out, _, err := do(t, pool, keyOf(t, "k", "x"), func() (answer, error) {
					mu.Lock()
					defer mu.Unlock()
					effects++
					return answer{ID: "one"}, nil
				})
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				answers[out.ID]++
			})
		}
		wg.Wait()
		require.Equal(t, 1, effects)
		require.Equal(t, map[string]int{"one": 20}, answers)
	})

	t.Run("the second does not wait for ever", func(t *testing.T) {
		t.Parallel()
		pool := pgtest.New(t, nil)
		tx, err := pool.Begin(t.Context())
		require.NoError(t, err)
		defer func() { require.NoError(t, tx.Rollback(t.Context())) }()
		_, _, err = idempotency.Do(t.Context(), tx, keyOf(t, "k", "x"), gives("1"))
		require.NoError(t, err)

		begin := time.Now()
		_, _, err = do(t, pool, keyOf(t, "k", "x"), gives("2"))
		require.ErrorIs(t, err, errs.Conflict)
		require.Equal(t, "idempotency_in_progress", errs.From(err).Code)
		require.Positive(t, errs.From(err).RetryAfter)
		require.Less(t, time.Since(begin), 9*time.Second, "the statement timeout is not what ended it")
	})

	t.Run("the transaction's own lock timeout is left alone", func(t *testing.T) {
		t.Parallel()
		pool := pgtest.New(t, nil)
		require.NoError(t, pg.InTx(t.Context(), pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), "SET LOCAL lock_timeout = '7s'"); err != nil {
				return err
			}
			if _, _, err := idempotency.Do(t.Context(), tx, keyOf(t, "k", "x"), gives("1")); err != nil {
				return err
			}
			var now string
			err := tx.QueryRow(t.Context(), "SHOW lock_timeout").Scan(&now)
			require.Equal(t, "7s", now)
			return err
		}))
	})
}

func TestCleanup(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t, nil)
	for _, key := range []string{"old", "young"} {
		_, _, err := do(t, pool, keyOf(t, key, "x"), gives("1"))
		require.NoError(t, err)
	}
	_, err := pool.Exec(t.Context(), "UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = 'old'")
	require.NoError(t, err)
	n, err := idempotency.Cleanup(t.Context(), pool)
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
}
