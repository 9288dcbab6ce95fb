package mailboxes_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/authtest"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/mailboxes"
)

func TestOf(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"ada@example.com":            "ada@example.com",
		"ada+news@example.com":       "ada@example.com",
		"ada+a+b@example.com":        "ada@example.com",
		"+ada@example.com":           "+ada@example.com", // no mailbox has an empty name
		"a.d.a@example.com":          "a.d.a@example.com",
		"a.d.a+x@gmail.com":          "ada@gmail.com",
		"ada@googlemail.com":         "ada@gmail.com",
		"ada+x@xn--bcher-kva.de":     "ada@xn--bcher-kva.de",
		"nonsense":                   "nonsense",
		"ada@example.com+x@evil.org": "ada@example.com@evil.org", // the last @ parts
	} {
		require.Equal(t, want, mailboxes.Of(key), key)
	}
}

func FuzzOf(f *testing.F) {
	f.Add("ada+x@example.com")
	f.Fuzz(func(t *testing.T, key string) {
		once := mailboxes.Of(key)
		require.LessOrEqual(t, len(once), len(key)+len("gmail.com"))
		require.Equal(t, once, mailboxes.Of(once), "a mailbox is its own")
	})
}

type bundle struct {
	*authtest.Bundle
	*mailboxes.Counter
	networks atomic.Uint32
}

func setup(t *testing.T) *bundle {
	t.Helper()
	counter, err := mailboxes.New(mailboxes.Config{Hourly: 4, Daily: 10}, []byte("key of the mailboxes"), nil)
	require.NoError(t, err)
	return &bundle{Bundle: authtest.New(t), Counter: counter}
}

// newcomer is the address of a client in a network that has not asked before.
func (b *bundle) newcomer() string {
	return fmt.Sprintf("2001:db8:%x::1", b.networks.Add(1))
}

// claim is one from a network that has not asked before.
func (b *bundle) claim(t testing.TB, account uuid.UUID, key string) time.Duration {
	t.Helper()
	return b.claimFrom(t, b.newcomer(), account, key)
}

func (b *bundle) claimFrom(t testing.TB, ip string, account uuid.UUID, key string) time.Duration {
	t.Helper()
	wait, err := b.tryFrom(t.Context(), ip, account, key)
	require.NoError(t, err)
	return wait
}

func (b *bundle) tryFrom(ctx context.Context, ip string, account uuid.UUID, key string) (wait time.Duration, err error) {
	ctx = request.With(ctx, request.Request{Via: request.Gateway, ClientIP: ip})
	err = b.Store.InTx(ctx, func(tx identity.Tx) (err error) {
		wait, err = b.Claim(ctx, tx, account, key, b.Clock.Now())
		return err
	})
	return wait, err
}

func (b *bundle) held(t testing.TB) int {
	t.Helper()
	return b.Int(t, "SELECT count(*) FROM audit_log WHERE action = $1 AND outcome = 'failure'", audit.MailHeldBack)
}

func TestClaim(t *testing.T) {
	t.Parallel()
	b, id := setup(t), uuid.Must(uuid.NewV7())

	for _, key := range []string{"ada@example.com", "ada+a@example.com", "ada+b@example.com", "ada@example.com"} {
		require.Zero(t, b.claim(t, id, key))
		b.Clock.Advance(time.Minute)
	}
	require.Equal(t, 56*time.Minute, b.claim(t, id, "ada+c@example.com"), "four within an hour, plus-addresses count together")
	require.Zero(t, b.claim(t, id, "adam@example.com"), "another mailbox")
	for range 20 {
		require.Positive(t, b.claim(t, id, "ada@example.com"))
	}
	require.Equal(t, 1, b.held(t), "a flood is one entry")

	b.Clock.Advance(57 * time.Minute)
	for range 2 { // the first two of the hour are forgotten
		require.Zero(t, b.claim(t, id, "ada@example.com"))
	}
	require.Positive(t, b.claim(t, id, "ada@example.com"))
	for range 2 {
		b.Clock.Advance(time.Hour)
		for range 2 {
			require.Zero(t, b.claim(t, id, "ada@example.com"))
		}
	}
	b.Clock.Advance(2 * time.Hour)
	require.Greater(t, b.claim(t, id, "ada@example.com"), time.Hour, "ten a day")
	require.Greater(t, b.held(t), 1, "the trail says so again after an hour")
	b.Clock.Advance(24 * time.Hour)
	require.Zero(t, b.claim(t, id, "ada@example.com"))
	require.Equal(t, 2+12, b.Int(t, "SELECT count(*) FROM mailboxes"), "one for each mailbox, and for each network whose mail was sent")
	require.LessOrEqual(t, b.Int(t, "SELECT max(cardinality(mails)) FROM mailboxes"), 10)
	require.Zero(t, b.Int(t, "SELECT count(*) FROM mailboxes WHERE encode(key, 'escape') LIKE '%ada%'"))
}

func TestClaim_at_the_same_time(t *testing.T) {
	t.Parallel()
	b, id := setup(t), uuid.Must(uuid.NewV7())
	waits := make(chan time.Duration, 12)
	for range cap(waits) {
		go func() {
			wait, err := b.tryFrom(t.Context(), b.newcomer(), id, "ada@example.com")
			if err != nil {
				wait = -1
			}
			waits <- wait
		}()
	}
	sent := 0
	for range cap(waits) {
		wait := <-waits
		require.GreaterOrEqual(t, wait, time.Duration(0))
		if wait == 0 {
			sent++
		}
	}
	require.Equal(t, 4, sent)
}

// Whoever knows an address cannot keep its owner from getting a mail: one network has half of them, however many labels and addresses it
// uses.
func TestClaim_share_of_a_network(t *testing.T) {
	t.Parallel()
	b, id := setup(t), uuid.Must(uuid.NewV7())
	stranger := []string{"203.0.113.7", "203.0.113.8", "203.0.127.9"} // one /20
	const owner = "198.51.100.7"

	for hour := range 3 {
		granted := 0
		for i := range 20 {
			if b.claimFrom(t, stranger[i%3], id, []string{"ada@example.com", "ada+x@example.com"}[i%2]) == 0 {
				granted++
			}
		}
		require.Equal(t, []int{2, 2, 1}[hour], granted, "two an hour, five a day")
		require.Zero(t, b.claimFrom(t, owner, id, "ada@example.com"))
		b.Clock.Advance(61 * time.Minute)
	}
	require.Greater(t, b.claimFrom(t, stranger[0], id, "ada@example.com"), time.Hour)
	require.Zero(t, b.claimFrom(t, stranger[0], id, "bob@example.com"), "of each mailbox")
	require.Zero(t, b.claimFrom(t, owner, id, "ada@example.com"))
	require.Equal(t, 1+3, b.held(t), "once an hour; the last one was refused in the fourth")

	t.Run("an_address_that_is_not_known_is_one_network", func(t *testing.T) {
		t.Parallel()
		for _, ip := range []string{"", "nonsense"} {
			require.Zero(t, b.claimFrom(t, ip, id, "eve@example.com"))
		}
		require.Positive(t, b.claimFrom(t, "", id, "eve@example.com"))
	})
	t.Run("what_another_service_passes_on_is_not_known", func(t *testing.T) {
		t.Parallel()
		for i := range 3 {
			ctx := request.With(t.Context(), request.Request{Via: "users", ClientIP: b.newcomer()})
			var wait time.Duration
			require.NoError(t, b.Store.InTx(ctx, func(tx identity.Tx) (err error) {
				wait, err = b.Claim(ctx, tx, id, "ivy@example.com", b.Clock.Now())
				return err
			}))
			require.Equal(t, i == 2, wait > 0)
		}
	})
}

// A network's share is rounded up, so that the smallest budget is good for something.
func TestClaim_smallest_share(t *testing.T) {
	t.Parallel()
	counter, err := mailboxes.New(mailboxes.Config{Hourly: 1, Daily: 1}, []byte("key of the mailboxes"), nil)
	require.NoError(t, err)
	b := &bundle{Bundle: authtest.New(t), Counter: counter}
	require.Zero(t, b.claim(t, uuid.Nil, "ada@example.com"))
	require.Equal(t, 24*time.Hour, b.claim(t, uuid.Nil, "ada@example.com"))
}

// Whatever comes when and from where, no hour has more than four mails and no day more than ten; of one network two and five.
func TestClaim_never_more(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rapid.Check(t, func(rt *rapid.T) {
		key := uuid.Must(uuid.NewV7()).String() + "@example.com"
		var all []time.Time
		from := map[string][]time.Time{}
		for range rapid.IntRange(1, 40).Draw(rt, "asks") {
			b.Clock.Advance(time.Duration(rapid.IntRange(0, 7200).Draw(rt, "seconds")) * time.Second)
			ip := rapid.SampledFrom([]string{"203.0.113.7", "198.51.100.7", "2001:db8::1", ""}).Draw(rt, "address")
			if b.claimFrom(t, ip, uuid.Nil, key) == 0 {
				all = append(all, b.Clock.Now())
				from[ip] = append(from[ip], b.Clock.Now())
			}
		}
		requireAtMost(rt, all, 4, 10)
		for _, sent := range from {
			requireAtMost(rt, sent, 2, 5)
		}
	})
}

// requireAtMost looks at the hour and the day that begin with each mail.
func requireAtMost(t require.TestingT, sent []time.Time, hourly, daily int) {
	for i, first := range sent {
		within := func(d time.Duration) (n int) {
			for _, at := range sent[i:] {
				if at.Sub(first) < d {
					n++
				}
			}
			return n
		}
		require.LessOrEqual(t, within(time.Hour), hourly)
		require.LessOrEqual(t, within(24*time.Hour), daily)
	}
}

func TestForce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 25 {
		require.NoError(t, b.Store.InTx(t.Context(), func(tx identity.Tx) error {
			return b.Force(t.Context(), tx, "ada@example.com", b.Clock.Now())
		}))
	}
	require.Equal(t, 10, b.Int(t, "SELECT cardinality(mails) FROM mailboxes"))
	require.Positive(t, b.claim(t, uuid.Nil, "ada@example.com"))
}

func TestConfig(t *testing.T) {
	t.Parallel()
	require.NoError(t, mailboxes.Config{Hourly: 4, Daily: 10}.Validate())
	require.ErrorContains(t, mailboxes.Config{Daily: 10}.Validate(), "MAILBOX_HOURLY")
	require.ErrorContains(t, mailboxes.Config{Hourly: 11, Daily: 10}.Validate(), "MAILBOX_DAILY")
	require.ErrorContains(t, mailboxes.Config{Hourly: 4, Daily: 1001}.Validate(), "MAILBOX_DAILY")
}
