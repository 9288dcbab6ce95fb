package throttle_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
	"github.com/atrium-mesh/atrium/services/auth/internal/authtest"
	"github.com/atrium-mesh/atrium/services/auth/internal/store"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/migrations"
	"github.com/atrium-mesh/atrium/services/auth/internal/throttle"
)

const (
	owner    = "ada@example.com"
	home     = "192.0.2.1"
	stranger = "198.51.100.7"
)

type bundle struct {
	*testing.T
	*throttle.Throttle
	clock *authtest.Clock
	pool  *pgxpool.Pool
}

func setup(t *testing.T) *bundle {
	t.Helper()
	c := authtest.NewClock()
	c.Advance(789) // finer than the database
	pool := pgtest.New(t, migrations.FS)
	return &bundle{T: t, Throttle: throttle.New(store.New(pool).Throttle(), []byte("key of the throttle"), c.Now, nil), clock: c, pool: pool}
}

// fail is an attempt with a wrong password; it returns how long a refused one has to wait.
func (b *bundle) fail(email, ip string) (wait time.Duration) {
	b.Helper()
	_, err := b.Begin(b.Context(), throttle.Attempt{EmailKey: email, ClientIP: ip})
	if err == nil {
		return 0
	}
	require.ErrorIs(b, err, errs.RateLimited)
	require.Equal(b, "too_many_attempts", errs.From(err).Code)
	require.Positive(b, errs.From(err).RetryAfter)
	return errs.From(err).RetryAfter
}

// failTimes fails n times and waits as long as it has to each time. It returns how long that took.
func (b *bundle) failTimes(n int, email, ip string) time.Duration {
	b.Helper()
	start := b.clock.Now()
	for range n {
		if wait := b.fail(email, ip); wait > 0 {
			b.clock.Advance(wait)
			require.Zero(b, b.fail(email, ip), "after Retry-After it may be tried")
		}
	}
	return b.clock.Now().Sub(start)
}

// succeed is an attempt with the right password.
func (b *bundle) succeed(email, ip string) {
	b.Helper()
	r, err := b.Begin(b.Context(), throttle.Attempt{EmailKey: email, ClientIP: ip})
	require.NoError(b, err)
	require.NoError(b, r.Succeed(b.Context()))
}

func TestThrottle_the_wait_doubles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 5 {
		require.Zero(t, b.fail(owner, stranger))
	}
	for i, want := range []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second} {
		wait := b.fail(owner, stranger)
		require.InDelta(t, want, wait, float64(time.Microsecond), "wait %d", i)
		b.clock.Advance(wait - time.Millisecond)
		require.InDelta(t, time.Millisecond, b.fail(owner, stranger), float64(time.Microsecond), "a refused attempt does not make the wait longer")
		b.clock.Advance(time.Millisecond)
		require.Zero(t, b.fail(owner, stranger))
	}
	require.Greater(t, b.failTimes(20, owner, stranger), 2*time.Hour)
	require.LessOrEqual(t, b.fail(owner, stranger), 15*time.Minute, "there is a longest wait")
}

func TestThrottle_failures_are_forgotten(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.failTimes(8, owner, stranger)
	require.NotZero(t, b.fail(owner, stranger))
	b.clock.Advance(90 * time.Minute)
	for range 5 {
		require.Zero(t, b.fail(owner, stranger))
	}
	require.NotZero(t, b.fail(owner, stranger))
}

func TestThrottle_success_forgets_own_failures(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.failTimes(4, owner, home)
	b.succeed(owner, home)
	for range 4 {
		require.Zero(t, b.fail(owner, home))
	}
}

// A stranger hammers at an account, from one address and from hundreds. The person signs in all the same: at home at once, and at an
// address that was never seen, too.
func TestThrottle_a_stranger_cannot_lock_the_owner_out(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.succeed(owner, home)
	for range 50 {
		b.fail(owner, stranger)
	}
	for i := range 300 {
		b.fail(owner, fmt.Sprintf("203.0.113.%d", i%256))
		b.fail(owner, fmt.Sprintf("2001:db8:%x::1", i))
	}
	require.NotZero(t, b.fail(owner, stranger))

	b.succeed(owner, home)
	for range 4 {
		require.Zero(t, b.fail(owner, home), "typing errors are free at home")
	}
	b.succeed(owner, home)
	b.succeed(owner, "192.0.2.200")
	b.succeed(owner, "192.0.2.200")
}

func TestThrottle_an_attacked_account_gives_new_addresses_one_free_attempt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 30 {
		require.Zero(t, b.fail(owner, fmt.Sprintf("203.0.113.%d", i)))
	}
	require.Zero(t, b.fail(owner, stranger))
	require.InDelta(t, 30*time.Second, b.fail(owner, stranger), float64(time.Microsecond))
	require.Zero(t, b.fail("grace@example.com", stranger), "other accounts at the address do not suffer")

	b.clock.Advance(time.Hour)
	for range 5 {
		require.Zero(t, b.fail(owner, "198.51.100.9"), "an hour later it is as before")
	}
}

func TestThrottle_one_password_with_many_accounts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.succeed(owner, stranger)
	for i := range 20 {
		require.Zero(t, b.fail(fmt.Sprintf("victim%d@example.com", i), stranger))
	}
	require.NotZero(t, b.fail("another@example.com", stranger))
	require.Zero(t, b.fail("another@example.com", home), "at another address it may be tried")
	b.succeed(owner, stranger)

	t.Run("own successes between do not help", func(t *testing.T) {
		b.T = t
		for i := range 6 {
			wait := b.fail(fmt.Sprintf("next%d@example.com", i), stranger)
			require.NotZero(t, wait)
			b.clock.Advance(wait)
			b.succeed(fmt.Sprintf("mine%d@example.com", i), stranger)
			require.Zero(t, b.fail(fmt.Sprintf("next%d@example.com", i), stranger))
		}
	})
}

func TestThrottle_unknown_accounts_are_no_different(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 12 {
		known := b.fail(owner, "192.0.2.77")
		require.InDelta(t, known, b.fail("nobody@example.com", "192.0.2.78"), float64(time.Millisecond))
		b.clock.Advance(time.Second)
	}
}

// wrong is what a wrong password is answered: how long to wait, or zero for "it is wrong".
func (b *bundle) wrong(email, ip string) time.Duration {
	b.Helper()
	r, err := b.Begin(b.Context(), throttle.Attempt{EmailKey: email, ClientIP: ip})
	if err == nil {
		err = r.Wrong(errs.New(errs.Unauthenticated, "invalid_credentials", "Wrong."))
	}
	if errs.KindOf(err) == errs.Unauthenticated {
		return 0
	}
	require.Equal(b, "too_many_attempts", errs.From(err).Code)
	return errs.From(err).RetryAfter
}

// A stranger who shares an address with somebody gets the same answers for that account, for one that was never signed in from there, and
// for one that does not exist: whatever was tried before, and whichever of the counts refuses.
func TestThrottle_a_shared_address_tells_nothing(t *testing.T) {
	t.Parallel()
	attack := map[string]func(b *bundle, email string){
		"the_address": func(b *bundle, _ string) {
			for i := range 20 {
				require.Zero(b, b.wrong(fmt.Sprintf("victim%d@example.com", i), stranger))
			}
		},
		"nearly_the_address": func(b *bundle, _ string) {
			for i := range 17 {
				require.Zero(b, b.wrong(fmt.Sprintf("victim%d@example.com", i), stranger))
			}
		},
		"the_account": func(b *bundle, email string) {
			for i := range 40 {
				b.wrong(email, fmt.Sprintf("203.0.113.%d", i))
			}
		},
		"nothing": func(*bundle, string) {},
	}
	for name, before := range attack {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answers := func(known bool) (out []time.Duration) {
				b := setup(t)
				if known {
					b.succeed(owner, stranger)
				}
				before(b, owner)
				for i := range 40 {
					out = append(out, b.wrong(owner, stranger), b.wrong("other@example.com", stranger))
					if i%10 == 9 {
						b.clock.Advance(10 * time.Second)
					}
				}
				return out
			}
			require.Equal(t, answers(false), answers(true))
		})
	}
}

// The person is let in from there all the same, as long as nobody guesses there.
func TestThrottle_a_known_address_is_let_through(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.succeed(owner, stranger)
	for i := range 20 {
		require.Zero(t, b.wrong(fmt.Sprintf("victim%d@example.com", i), stranger))
	}
	for range 4 {
		require.NotZero(t, b.wrong(owner, stranger), "a wrong password is answered as for others")
	}
	b.succeed(owner, stranger)
	for range 5 {
		require.NotZero(t, b.wrong(owner, stranger))
	}
	_, err := b.Begin(t.Context(), throttle.Attempt{EmailKey: owner, ClientIP: stranger})
	require.ErrorIs(t, err, errs.RateLimited, "five guesses, and then no more")
}

func TestThrottle_release_counts_nothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 20 {
		r, err := b.Begin(t.Context(), throttle.Attempt{EmailKey: owner, ClientIP: stranger})
		require.NoError(t, err)
		require.NoError(t, r.Release(t.Context()))
	}
	require.Zero(t, b.fail(owner, stranger))
}

// A flood of attempts at the same time gets no more tries than one after the other.
func TestThrottle_attempts_at_the_same_time(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var tried atomic.Int32
	var wg sync.WaitGroup
	for range 60 {
		wg.Go(func() {
			_, err := b.Begin(t.Context(), throttle.Attempt{EmailKey: owner, ClientIP: stranger})
			if err == nil {
				tried.Add(1)
				return
			}
			if !errsIsLimited(err) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 5, tried.Load())
}

func errsIsLimited(err error) bool { return errs.KindOf(err) == errs.RateLimited }

func TestThrottle_many_accounts_at_the_same_time_do_not_deadlock(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			r, err := b.Begin(t.Context(), throttle.Attempt{EmailKey: fmt.Sprintf("p%d@example.com", i%4), ClientIP: fmt.Sprintf("192.0.2.%d", i%5)})
			if err == nil && i%2 == 0 {
				err = r.Succeed(t.Context())
			}
			if err != nil && !errsIsLimited(err) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestThrottle_addresses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 5 {
		require.Zero(t, b.fail(owner, fmt.Sprintf("2001:db8:1:2::%d", i)))
	}
	require.NotZero(t, b.fail(owner, "2001:db8:1:2:ffff::1"), "one customer has the whole /64")
	require.Zero(t, b.fail(owner, "2001:db8:1:3::1"))

	for range 5 {
		require.Zero(t, b.fail("grace@example.com", "::ffff:192.0.2.9"))
	}
	require.NotZero(t, b.fail("grace@example.com", "192.0.2.9"))
	for range 5 {
		require.Zero(t, b.fail("joan@example.com", ""))
	}
	require.NotZero(t, b.fail("joan@example.com", "not an address"))
}

func TestThrottle_a_restart_forgets_nothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.failTimes(6, owner, stranger)
	again := throttle.New(store.New(b.pool).Throttle(), []byte("key of the throttle"), b.clock.Now, nil)
	_, err := again.Begin(t.Context(), throttle.Attempt{EmailKey: owner, ClientIP: stranger})
	require.ErrorIs(t, err, errs.RateLimited)
}

func TestThrottle_the_table_tells_nobody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.succeed(owner, home)
	b.fail(owner, stranger)
	for _, table := range []string{"sign_in_failures", "known_addresses"} {
		var text string
		require.NoError(t, b.pool.QueryRow(t.Context(), "SELECT string_agg(encode(key, 'escape'), ' ') FROM "+table).Scan(&text))
		require.NotEmpty(t, text)
		require.NotContains(t, text, "ada")
		require.NotContains(t, text, "198.51")
	}
}

func TestThrottle_database_away(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r, err := b.Begin(t.Context(), throttle.Attempt{EmailKey: owner, ClientIP: home})
	require.NoError(t, err)
	b.pool.Close()
	_, err = b.Begin(context.WithoutCancel(t.Context()), throttle.Attempt{EmailKey: owner, ClientIP: home})
	require.ErrorIs(t, err, errs.Unavailable)
	require.ErrorIs(t, r.Succeed(t.Context()), errs.Unavailable)
	require.NotNil(t, throttle.New(nil, nil, nil, nil))
}
