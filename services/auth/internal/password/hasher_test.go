package password_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/internal/password"
)

// cheap is a hash that costs a few milliseconds.
func cheap() password.Config {
	c := password.Default()
	c.MemoryKiB, c.Iterations = 7<<10, 1
	return c
}

func newHasher(t testing.TB, c password.Config) *password.Hasher {
	t.Helper()
	h, err := password.NewHasher(c)
	require.NoError(t, err)
	return h
}

func TestHasher(t *testing.T) {
	t.Parallel()
	h := newHasher(t, cheap())
	const right = "correct horse battery staple"
	encoded, err := h.Hash(t.Context(), right)
	require.NoError(t, err)
	require.Regexp(t, `^\$argon2id\$v=19\$m=7168,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`, encoded)

	again, err := h.Hash(t.Context(), right)
	require.NoError(t, err)
	require.NotEqual(t, encoded, again, "each hash has its own salt")

	t.Run("right", func(t *testing.T) {
		t.Parallel()
		got, err := h.Verify(t.Context(), right, encoded)
		require.NoError(t, err)
		require.Equal(t, password.Result{OK: true}, got)
	})
	t.Run("wrong", func(t *testing.T) {
		t.Parallel()
		for _, wrong := range []string{"", "correct horse battery stapl", right + " ", strings.ToUpper(right), strings.Repeat("x", 2000)} {
			got, err := h.Verify(t.Context(), wrong, encoded)
			require.NoError(t, err)
			require.Zero(t, got)
		}
	})
	t.Run("no account", func(t *testing.T) {
		t.Parallel()
		for _, any := range []string{"", right} {
			got, err := h.Verify(t.Context(), any, "")
			require.NoError(t, err)
			require.Zero(t, got, "the dummy is of the empty password, and must not let it in")
		}
	})
	t.Run("another keyboard", func(t *testing.T) {
		t.Parallel()
		composed, err := h.Hash(t.Context(), "caf\u00e9 au lait, ﬁne")
		require.NoError(t, err)
		got, err := h.Verify(t.Context(), "cafe\u0301 au lait, fine", composed)
		require.NoError(t, err)
		require.True(t, got.OK)
	})
	t.Run("too long to hash", func(t *testing.T) {
		t.Parallel()
		_, err := h.Hash(t.Context(), strings.Repeat("x", password.MaxBytes+1))
		require.ErrorIs(t, err, errs.Invalid)
	})
}

func TestHasher_hashes_of_elsewhere(t *testing.T) {
	t.Parallel()
	h := newHasher(t, cheap())
	of := func(generate func() ([]byte, error)) string {
		b, err := generate()
		require.NoError(t, err)
		return string(b)
	}
	crypted := of(func() ([]byte, error) { return bcrypt.GenerateFromPassword([]byte("hunter2 hunter2"), bcrypt.MinCost) })
	stronger := newHasher(t, password.Default())
	old, err := stronger.Hash(t.Context(), "hunter2 hunter2")
	require.NoError(t, err)

	for name, encoded := range map[string]string{
		"bcrypt 2a":                crypted,
		"bcrypt 2b":                "$2b" + crypted[3:],
		"bcrypt 2y":                "$2y" + crypted[3:],
		"argon2id, more expensive": old,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := h.Verify(t.Context(), "hunter2 hunter2", encoded)
			require.NoError(t, err)
			require.Equal(t, password.Result{OK: true, NeedsRehash: true}, got)
			got, err = h.Verify(t.Context(), "hunter2 hunter3", encoded)
			require.NoError(t, err)
			require.Zero(t, got)
		})
	}
}

func TestHasher_unreadable_hash_is_an_error(t *testing.T) {
	t.Parallel()
	h := newHasher(t, cheap())
	const salt, key = "c29tZXNhbHRzb21lc2FsdA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	for name, encoded := range map[string]string{
		"plain text":       "hunter2",
		"argon2i":          "$argon2i$v=19$m=7168,t=1,p=1$" + salt + "$" + key,
		"an old version":   "$argon2id$v=16$m=7168,t=1,p=1$" + salt + "$" + key,
		"no parameters":    "$argon2id$v=19$x$" + salt + "$" + key,
		"too much memory":  "$argon2id$v=19$m=4194304,t=1,p=1$" + salt + "$" + key,
		"too many passes":  "$argon2id$v=19$m=7168,t=1000,p=1$" + salt + "$" + key,
		"too many threads": "$argon2id$v=19$m=7168,t=1,p=200$" + salt + "$" + key,
		"no passes":        "$argon2id$v=19$m=7168,t=0,p=1$" + salt + "$" + key,
		"a short salt":     "$argon2id$v=19$m=7168,t=1,p=1$c2E$" + key,
		"a short key":      "$argon2id$v=19$m=7168,t=1,p=1$" + salt + "$c2E",
		"not base64":       "$argon2id$v=19$m=7168,t=1,p=1$" + salt + "$!!",
		"bcrypt, cut":      "$2a$04$abc",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := h.Verify(t.Context(), "hunter2", encoded)
			require.Error(t, err)
			require.Zero(t, got)
			require.Equal(t, errs.Internal, errs.KindOf(err))
			require.NotContains(t, err.Error(), salt)
		})
	}
}

func TestHasher_refuses_when_the_queue_is_full(t *testing.T) {
	t.Parallel()
	c := cheap()
	c.Concurrency, c.QueueLength, c.QueueWait = 1, 2, time.Minute
	h := newHasher(t, c)
	release := password.Occupy(h)
	waiting := make(chan error)
	for range 2 {
		go func() {
			_, err := h.Hash(t.Context(), "x")
			waiting <- err
		}()
	}
	require.Eventually(t, func() bool { return password.Queued(h) == 3 }, 5*time.Second, time.Millisecond)
	_, err := h.Hash(t.Context(), "x")
	require.ErrorIs(t, err, errs.Unavailable)
	require.Equal(t, "busy", errs.From(err).Code)
	require.GreaterOrEqual(t, errs.From(err).RetryAfter, time.Second)
	require.LessOrEqual(t, errs.From(err).RetryAfter, 2*time.Second)
	release()
	for range 2 {
		require.NoError(t, <-waiting, "those who wait are served")
	}
	require.Zero(t, password.Queued(h))
}

func TestHasher_waits_no_longer_than_told(t *testing.T) {
	t.Parallel()
	h, release := occupied(t, 10*time.Millisecond)
	_, err := h.Verify(t.Context(), "x", "")
	require.ErrorIs(t, err, errs.Unavailable)
	require.Equal(t, "busy", errs.From(err).Code)
	release()
}

func TestHasher_stops_waiting_when_the_caller_leaves(t *testing.T) {
	t.Parallel()
	h, release := occupied(t, time.Minute)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := h.Hash(ctx, "x")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = h.Hash(ctx, "x")
	require.ErrorIs(t, err, context.DeadlineExceeded, "before it looks for a place")
	release()
}

func TestHasher_a_place_in_the_queue_is_given_back(t *testing.T) {
	t.Parallel()
	c := cheap()
	c.Concurrency, c.QueueLength = 1, 1
	h := newHasher(t, c)
	for range 5 {
		_, err := h.Hash(t.Context(), "x")
		require.NoError(t, err)
	}
}

// occupied is a hasher whose only slot is taken until release is called, whose callers wait this long.
func occupied(t *testing.T, wait time.Duration) (h *password.Hasher, release func()) {
	t.Helper()
	c := cheap()
	c.Concurrency, c.QueueLength, c.QueueWait = 1, 4, wait
	h = newHasher(t, c)
	return h, password.Occupy(h)
}

func TestConfig(t *testing.T) {
	t.Parallel()
	require.NoError(t, password.Default().Validate())
	err := password.Config{MemoryKiB: 1, Parallelism: 99, Concurrency: -1, QueueLength: -1, QueueWait: -1}.Validate()
	for _, key := range []string{"ARGON2_MEMORY_KIB", "ARGON2_ITERATIONS", "ARGON2_PARALLELISM", "PASSWORD_CONCURRENCY", "PASSWORD_QUEUE_LENGTH", "PASSWORD_QUEUE_WAIT"} {
		require.ErrorContains(t, err, key)
	}
	_, err = password.NewHasher(password.Config{})
	require.Error(t, err)
}

func BenchmarkHash(b *testing.B) {
	h := newHasher(b, password.Default())
	for b.Loop() {
		if _, err := h.Hash(b.Context(), "correct horse battery staple"); err != nil {
			b.Fatal(err)
		}
	}
}
