package links_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/accounts"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/links"
)

const day = 24 * time.Hour

// happened publishes what a mail of each purpose tells of, to an account that has a use for its link.
func (b *bundle) happened(t *testing.T, purpose api.LinkPurpose) uuid.UUID {
	t.Helper()
	at := b.Clock.Now()
	email := uuid.Must(uuid.NewV7()).String() + "@example.com"
	publish := func(account uuid.UUID, fn func(tx identity.Tx) error) uuid.UUID {
		require.NoError(t, b.Bundle.Store.InTx(t.Context(), fn))
		return account
	}
	switch purpose {
	case api.LinkVerifyEmail:
		id := b.unverified(t, email).ID
		return publish(id, func(tx identity.Tx) error {
			return identity.Publish(t.Context(), tx, api.VerificationRequested, id, api.AccountData{AccountID: id, At: at})
		})
	case api.LinkInvitation:
		id := b.Add(t, accounts.NewAccount{FullName: "Grace", Origin: api.OriginInvitation}, email).ID
		return publish(id, func(tx identity.Tx) error {
			return identity.Publish(t.Context(), tx, api.AccountRegistered, id, api.AccountRegisteredData{AccountID: id, Origin: api.OriginInvitation, At: at})
		})
	case api.LinkResetPassword:
		id := b.Account(t, email).ID
		return publish(id, func(tx identity.Tx) error {
			return identity.Publish(t.Context(), tx, api.PasswordResetRequested, id, api.AccountData{AccountID: id, At: at})
		})
	default:
		id := b.Account(t, email).ID
		return publish(id, func(tx identity.Tx) error {
			return identity.Publish(t.Context(), tx, api.PasswordChanged, id, api.PasswordChangedData{AccountID: id, At: at})
		})
	}
}

// cleanUp deletes what the clean-up would delete now.
func (b *bundle) cleanUp(t *testing.T) {
	t.Helper()
	for _, kind := range b.Bundle.Store.Expiring(365 * day) {
		if kind.Name == "links" || kind.Name == "link_causes" {
			_, err := kind.Delete(t.Context(), b.Clock.Now().Add(-kind.Keep), 1000)
			require.NoError(t, err)
		}
	}
}

// ask is what notifications asks for one mail, at any time.
type ask func() (links.Mailed, error)

func (b *bundle) mail(t *testing.T, account uuid.UUID, purpose api.LinkPurpose) ask {
	in := &api.AnnounceLinkRequest{AccountID: account, Purpose: purpose, DeliveryID: uuid.Must(uuid.NewV7())}
	return func() (links.Mailed, error) { return b.For(t.Context(), in) }
}

var mailed = []api.LinkPurpose{api.LinkVerifyEmail, api.LinkResetPassword, api.LinkInvitation, api.LinkNotMe}

// TestMailed_waits: a mail finds its link for as long as its event can come again, which is seven days, when notifications was away so long. A
// reset that nobody waits for any more is a danger, and is not made.
func TestMailed_waits(t *testing.T) {
	t.Parallel()
	for _, purpose := range mailed {
		t.Run(string(purpose), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			waits := 7 * day
			if purpose == api.LinkResetPassword {
				waits = day
			}
			id := b.happened(t, purpose)
			late := b.happened(t, purpose)
			b.Clock.Advance(waits - time.Minute)
			b.cleanUp(t)
			_, err := b.mail(t, id, purpose)()
			require.NoError(t, err)

			b.Clock.Advance(2 * time.Minute)
			_, err = b.mail(t, late, purpose)()
			refused(t, err, errs.Conflict, "link_not_asked_for")
		})
	}
}

// TestMailed_tried_again: a mail that its server does not take is tried again, by itself or by an operator, as long as a link of its kind is
// good, and never brings one that has expired.
func TestMailed_tried_again(t *testing.T) {
	t.Parallel()
	for _, purpose := range mailed {
		t.Run(string(purpose), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			first := b.Clock.Now()
			ask := b.mail(t, b.happened(t, purpose), purpose)
			made, err := ask()
			require.NoError(t, err)
			good := made.ExpiresAt.Sub(first)
			for b.Clock.Now().Sub(first) < max(good, day)-time.Hour {
				b.Clock.Advance(time.Hour)
				b.cleanUp(t)
				again, err := ask()
				require.NoError(t, err, "after %s", b.Clock.Now().Sub(first))
				require.Equal(t, made.URL, again.URL)
				require.Equal(t, b.Clock.Now().Add(good), again.ExpiresAt.UTC(), "its time begins when it goes out")
			}
			require.NoError(t, b.Sent(t.Context(), made))
			expires := b.Clock.Now().Add(good)
			b.Clock.Advance(time.Minute)
			again, err := ask()
			require.NoError(t, err)
			require.Equal(t, expires, again.ExpiresAt.UTC(), "a link that was sent is good no longer")
		})
	}
}

// TestMailed_is_never_sent_twice: whenever it is asked for, a link whose mail was sent is said to be sent, or is not there. It is not made
// anew when the clean-up has been.
func TestMailed_is_never_sent_twice(t *testing.T) {
	t.Parallel()
	for _, purpose := range mailed {
		for _, after := range []time.Duration{0, 23 * time.Hour, 7*day - time.Hour} {
			t.Run(string(purpose)+" "+after.String(), func(t *testing.T) {
				t.Parallel()
				b := setup(t)
				ask := b.mail(t, b.happened(t, purpose), purpose)
				b.Clock.Advance(after)
				made, err := ask()
				if err != nil {
					require.Equal(t, api.LinkResetPassword, purpose)
					refused(t, err, errs.Conflict, "link_not_asked_for")
					return
				}
				require.NoError(t, b.Sent(t.Context(), made))
				for range 50 {
					b.Clock.Advance(day)
					b.cleanUp(t)
					again, err := ask()
					if err != nil {
						refused(t, err, errs.Conflict, "link_not_asked_for")
						continue
					}
					require.NotNil(t, again.SentAt, "after %s", b.Clock.Now().Sub(made.CreatedAt))
				}
				var left int
				require.NoError(t, b.Pool.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM links) + (SELECT count(*) FROM link_causes)").Scan(&left))
				require.Zero(t, left, "nothing grows without end")
			})
		}
	}
}
