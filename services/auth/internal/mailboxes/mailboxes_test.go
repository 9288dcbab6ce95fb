package mailboxes_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

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
}

func setup(t *testing.T) *bundle {
	t.Helper()
	counter, err := mailboxes.New(mailboxes.Config{Hourly: 4, Daily: 10}, []byte("key of the mailboxes"), nil)
	require.NoError(t, err)
	return &bundle{authtest.New(t), counter}
}

func (b *bundle) claim(t testing.TB, account uuid.UUID, key string) (wait time.Duration) {
	t.Helper()
	require.NoError(t, b.Store.InTx(t.Context(), func(tx identity.Tx) (err error) {
		wait, err = b.Claim(t.Context(), tx, account, key, b.Clock.Now())
		return err
	}))
	return wait
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
	require.Equal(t, 2, b.Int(t, "SELECT count(*) FROM mailboxes"), "one row for each mailbox")
	require.LessOrEqual(t, b.Int(t, "SELECT max(cardinality(mails)) FROM mailboxes"), 10)
	require.Zero(t, b.Int(t, "SELECT count(*) FROM mailboxes WHERE encode(key, 'escape') LIKE '%ada%'"))
}

func TestClaim_at_the_same_time(t *testing.T) {
	t.Parallel()
	b, id := setup(t), uuid.Must(uuid.NewV7())
	waits := make(chan time.Duration, 12)
	for range cap(waits) {
		go func() {
			var wait time.Duration
			err := b.Store.InTx(t.Context(), func(tx identity.Tx) (err error) {
				wait, err = b.Claim(t.Context(), tx, id, "ada@example.com", b.Clock.Now())
				return err
			})
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

// Whatever comes when, no hour has more than four mails and no day more than ten.
func TestClaim_never_more(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rapid.Check(t, func(rt *rapid.T) {
		key := uuid.Must(uuid.NewV7()).String() + "@example.com"
		var sent []time.Time
		for range rapid.IntRange(1, 40).Draw(rt, "asks") {
			b.Clock.Advance(time.Duration(rapid.IntRange(0, 7200).Draw(rt, "seconds")) * time.Second)
			if b.claim(t, uuid.Nil, key) == 0 {
				sent = append(sent, b.Clock.Now())
			}
		}
		for i, first := range sent {
			within := func(d time.Duration) (n int) {
				for _, at := range sent[i:] {
					if at.Sub(first) < d {
						n++
					}
				}
				return n
			}
			require.LessOrEqual(rt, within(time.Hour), 4)
			require.LessOrEqual(rt, within(24*time.Hour), 10)
		}
	})
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
