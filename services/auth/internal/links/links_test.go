package links_test

import (
	"bytes"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/accounts"
	"github.com/atrium-mesh/atrium/services/auth/internal/authtest"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/links"
)

type bundle struct {
	*authtest.Bundle
	*links.Links
}

func config() links.Config {
	return links.Config{
		BaseURL: "https://atrium.example.com", VerifyEmail: 48 * time.Hour, ResetPassword: time.Hour, Invitation: 168 * time.Hour,
		NotMe: 720 * time.Hour, Setup: 24 * time.Hour,
	}
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := authtest.New(t)
	return &bundle{b, links.New(config(), links.Deps{Store: b.Store, Key: bytes.Repeat([]byte{3}, 32), Clock: b.Clock.Now})}
}

// unverified is somebody who has just signed up.
func (b *bundle) unverified(t *testing.T, email string) identity.Account {
	return b.Add(t, accounts.NewAccount{FullName: "Ada", Origin: api.OriginSignUp, PasswordHash: "$hash"}, email)
}

func (b *bundle) create(t *testing.T, account uuid.UUID, purpose api.LinkPurpose, delivery uuid.UUID) (raw string, out links.Mailed) {
	t.Helper()
	b.cause(t, account, purpose)
	out, err := b.For(t.Context(), &api.AnnounceLinkRequest{AccountID: account, Purpose: purpose, DeliveryID: delivery})
	require.NoError(t, err)
	u, err := url.Parse(out.URL)
	require.NoError(t, err)
	return u.Query().Get("token"), out
}

// cause records something that a mail with a link tells of.
func (b *bundle) cause(t *testing.T, account uuid.UUID, purpose api.LinkPurpose) {
	t.Helper()
	now := b.Clock.Now()
	require.NoError(t, b.Bundle.Store.InTx(t.Context(), func(tx identity.Tx) error {
		return tx.AllowLink(t.Context(), identity.LinkCause{AccountID: account, Purpose: string(purpose), At: now, ExpiresAt: now.Add(time.Hour)})
	}))
}

func (b *bundle) redeem(t *testing.T, purpose api.LinkPurpose, raw string) (link identity.Link, err error) {
	t.Helper()
	err = b.Bundle.Store.InTx(t.Context(), func(tx identity.Tx) error {
		link, err = b.Redeem(t.Context(), tx, purpose, raw)
		return err
	})
	return link, err
}

func refused(t *testing.T, err error, kind errs.Kind, code string) {
	t.Helper()
	require.ErrorIs(t, err, kind)
	require.Equal(t, code, errs.From(err).Code)
}

func TestMailed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		purpose api.LinkPurpose
		path    string
		ttl     time.Duration
	}{
		"verify":     {api.LinkVerifyEmail, "/account/verify-email", 48 * time.Hour},
		"reset":      {api.LinkResetPassword, "/account/reset-password", time.Hour},
		"invitation": {api.LinkInvitation, "/account/accept-invitation", 168 * time.Hour},
		"not me":     {api.LinkNotMe, "/account/not-me", 720 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			n := accounts.NewAccount{FullName: "Ada", Origin: api.OriginSignUp, PasswordHash: "$hash"}
			if c.purpose == api.LinkInvitation {
				n = accounts.NewAccount{FullName: "Ada", Origin: api.OriginInvitation}
			}
			ada := b.Add(t, n, "ada@example.com")
			delivery := uuid.Must(uuid.NewV7())
			raw, out := b.create(t, ada.ID, c.purpose, delivery)
			require.Equal(t, "https://atrium.example.com"+c.path+"?token="+raw, out.URL)
			require.Equal(t, ada.Email, out.Email)
			require.Equal(t, c.purpose == api.LinkVerifyEmail, out.DisownURL == "https://atrium.example.com/account/disown?token="+raw)
			announced, err := b.Announce(t.Context(), &api.AnnounceLinkRequest{AccountID: ada.ID, Purpose: c.purpose, DeliveryID: delivery})
			require.NoError(t, err)
			require.Equal(t, &api.AnnounceLinkResponse{ExpiresAt: b.Clock.Now().Add(c.ttl)}, announced, "and nothing else")
			require.Len(t, raw, 43, "256 bits")

			b.Clock.Advance(time.Minute)
			_, again := b.create(t, ada.ID, c.purpose, delivery)
			require.Equal(t, []string{out.URL, out.DisownURL, out.Email}, []string{again.URL, again.DisownURL, again.Email}, "a mail that is sent again has the same link")
			require.Nil(t, again.SentAt)
			require.NoError(t, b.Sent(t.Context(), again))
			b.Clock.Advance(time.Minute)
			require.NoError(t, b.Sent(t.Context(), again))
			_, again = b.create(t, ada.ID, c.purpose, delivery)
			require.Equal(t, b.Clock.Now().Add(-time.Minute), again.SentAt.UTC(), "when it was sent first")
			other, _ := b.create(t, ada.ID, c.purpose, uuid.Must(uuid.NewV7()))
			require.NotEqual(t, raw, other)
			var text string
			require.NoError(t, b.Pool.QueryRow(t.Context(), "SELECT string_agg(l::text, ' ') FROM links l").Scan(&text))
			require.NotContains(t, text, raw, "the secret is not in the database")

			link, err := b.Look(t.Context(), c.purpose, raw)
			require.NoError(t, err)
			require.Equal(t, ada.ID, *link.AccountID)
			link, err = b.redeem(t, c.purpose, raw)
			require.NoError(t, err)
			require.Equal(t, ada.ID, *link.AccountID)
			_, err = b.redeem(t, c.purpose, raw)
			refused(t, err, errs.Invalid, "link_used")
			require.Equal(t, "body.token", errs.From(err).Fields[0].Field)
			_, err = b.Look(t.Context(), c.purpose, raw)
			refused(t, err, errs.Invalid, "link_used")
			_, err = b.Announce(t.Context(), &api.AnnounceLinkRequest{AccountID: ada.ID, Purpose: c.purpose, DeliveryID: delivery})
			refused(t, err, errs.Conflict, "link_not_needed")

			b.Clock.Advance(c.ttl)
			_, err = b.redeem(t, c.purpose, other)
			refused(t, err, errs.Invalid, "link_expired")
		})
	}
}

func TestMailed_refuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	verified, invited := b.Account(t, "ada@example.com"), b.Add(t, accounts.NewAccount{FullName: "G", Origin: api.OriginInvitation}, "g@example.com")
	off, gone := b.unverified(t, "off@example.com"), b.unverified(t, "gone@example.com")
	b.Stand(t, off.ID, identity.StatusDisabled)
	b.Stand(t, gone.ID, identity.StatusErased)
	for name, c := range map[string]struct {
		account  uuid.UUID
		purpose  api.LinkPurpose
		delivery uuid.UUID
		kind     errs.Kind
		code     string
	}{
		"no account":                  {uuid.Must(uuid.NewV7()), api.LinkNotMe, uuid.Must(uuid.NewV7()), errs.NotFound, "account_not_found"},
		"erased":                      {gone.ID, api.LinkNotMe, uuid.Must(uuid.NewV7()), errs.NotFound, "account_not_found"},
		"disabled":                    {off.ID, api.LinkVerifyEmail, uuid.Must(uuid.NewV7()), errs.Conflict, "link_not_needed"},
		"verified already":            {verified.ID, api.LinkVerifyEmail, uuid.Must(uuid.NewV7()), errs.Conflict, "link_not_needed"},
		"invited, and has a password": {verified.ID, api.LinkInvitation, uuid.Must(uuid.NewV7()), errs.Conflict, "link_not_needed"},
		"setup is not for mails":      {invited.ID, api.LinkSetup, uuid.Must(uuid.NewV7()), errs.Invalid, "validation_failed"},
		"unknown purpose":             {invited.ID, "fun", uuid.Must(uuid.NewV7()), errs.Invalid, "validation_failed"},
		"no delivery":                 {invited.ID, api.LinkInvitation, uuid.Nil, errs.Invalid, "validation_failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := b.Announce(t.Context(), &api.AnnounceLinkRequest{AccountID: c.account, Purpose: c.purpose, DeliveryID: c.delivery})
			refused(t, err, c.kind, c.code)
		})
	}
}

func TestRedeem_refuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada := b.unverified(t, "ada@example.com")
	raw, _ := b.create(t, ada.ID, api.LinkVerifyEmail, uuid.Must(uuid.NewV7()))
	for name, try := range map[string]struct {
		purpose api.LinkPurpose
		raw     string
	}{
		"another purpose": {api.LinkResetPassword, raw}, "forged": {api.LinkVerifyEmail, raw[1:] + "A"}, "empty": {api.LinkVerifyEmail, ""},
	} {
		_, err := b.redeem(t, try.purpose, try.raw)
		require.ErrorIs(t, err, errs.Invalid, name)
		require.Equal(t, "link_invalid", errs.From(err).Code, name)
	}
	_, err := b.redeem(t, api.LinkVerifyEmail, raw)
	require.NoError(t, err, "a refused attempt does not use it up")

	_, other := b.create(t, b.unverified(t, "g@example.com").ID, api.LinkVerifyEmail, uuid.Must(uuid.NewV7()))
	require.NotContains(t, other.URL, raw)
}

func TestRedeem_once_of_many_at_the_same_time(t *testing.T) {
	t.Parallel()
	b := setup(t)
	raw, _ := b.create(t, b.unverified(t, "ada@example.com").ID, api.LinkVerifyEmail, uuid.Must(uuid.NewV7()))
	var wg sync.WaitGroup
	results := make([]error, 12)
	for i := range results {
		wg.Go(func() { _, results[i] = b.redeem(t, api.LinkVerifyEmail, raw) })
	}
	wg.Wait()
	redeemed := 0
	for _, err := range results {
		if err == nil {
			redeemed++
			continue
		}
		refused(t, err, errs.Invalid, "link_used")
	}
	require.Equal(t, 1, redeemed)
}

func TestRedeem_rolled_back_with_what_it_allows(t *testing.T) {
	t.Parallel()
	b := setup(t)
	raw, _ := b.create(t, b.unverified(t, "ada@example.com").ID, api.LinkVerifyEmail, uuid.Must(uuid.NewV7()))
	err := b.Bundle.Store.InTx(t.Context(), func(tx identity.Tx) error {
		if _, err := b.Redeem(t.Context(), tx, api.LinkVerifyEmail, raw); err != nil {
			return err
		}
		return errs.New(errs.Invalid, "later", "Something else is wrong.")
	})
	require.ErrorIs(t, err, errs.Invalid)
	_, err = b.Look(t.Context(), api.LinkVerifyEmail, raw)
	require.NoError(t, err)
}

func TestLinks_database_away(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada := b.unverified(t, "ada@example.com")
	b.Pool.Close()
	_, err := b.Announce(t.Context(), &api.AnnounceLinkRequest{AccountID: ada.ID, Purpose: api.LinkVerifyEmail, DeliveryID: ada.ID})
	require.ErrorIs(t, err, errs.Unavailable)
	_, err = b.Look(t.Context(), api.LinkVerifyEmail, "x")
	require.ErrorIs(t, err, errs.Unavailable)
	require.NotNil(t, links.New(config(), links.Deps{}).Clock)
}

func TestConfig(t *testing.T) {
	t.Parallel()
	require.NoError(t, config().Validate())
	c := config()
	c.BaseURL = ""
	require.NoError(t, c.Validate())
	for _, wrong := range []string{"example.com", "ftp://example.com", "https://", "https://example.com/", "https://example.com?x=1", "://"} {
		c.BaseURL = wrong
		require.ErrorContains(t, c.Validate(), "LINK_BASE_URL", wrong)
	}
	err := links.Config{}.Validate()
	for _, key := range []string{"LINK_VERIFY_EMAIL_TTL", "LINK_RESET_PASSWORD_TTL", "LINK_INVITATION_TTL", "LINK_NOT_ME_TTL", "LINK_SETUP_TTL"} {
		require.ErrorContains(t, err, key)
	}
}

// TestMailed_wants_a_cause: whoever may ask for links gets one for each thing that auth has recorded, and none beside it.
func TestMailed_wants_a_cause(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada, bob := b.Account(t, "ada@example.com"), b.Account(t, "bob@example.com")
	ask := func(account uuid.UUID, purpose api.LinkPurpose, delivery uuid.UUID) (links.Mailed, error) {
		return b.For(t.Context(), &api.AnnounceLinkRequest{AccountID: account, Purpose: purpose, DeliveryID: delivery})
	}
	first, second := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	_, err := ask(ada.ID, api.LinkResetPassword, first)
	refused(t, err, errs.Conflict, "link_not_asked_for")

	b.cause(t, ada.ID, api.LinkResetPassword)
	_, err = ask(bob.ID, api.LinkResetPassword, first)
	refused(t, err, errs.Conflict, "link_not_asked_for")
	_, err = ask(ada.ID, api.LinkNotMe, first)
	refused(t, err, errs.Conflict, "link_not_asked_for")
	made, err := ask(ada.ID, api.LinkResetPassword, first)
	require.NoError(t, err)
	require.Equal(t, "ada@example.com", made.Email)
	again, err := ask(ada.ID, api.LinkResetPassword, first)
	require.NoError(t, err, "a mail that is rendered again")
	require.Equal(t, made.URL, again.URL)
	_, err = ask(ada.ID, api.LinkResetPassword, second)
	refused(t, err, errs.Conflict, "link_not_asked_for")
	_, err = ask(ada.ID, api.LinkSetup, second)
	refused(t, err, errs.Invalid, "validation_failed")

	b.cause(t, ada.ID, api.LinkResetPassword)
	b.Clock.Advance(2 * time.Hour)
	_, err = ask(ada.ID, api.LinkResetPassword, second)
	refused(t, err, errs.Conflict, "link_not_asked_for")
}

// TestMailed_of_two_at_once gives one cause to one of many mails, and each of its attempts the same link.
func TestMailed_of_two_at_once(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada := b.Account(t, "ada@example.com")
	b.cause(t, ada.ID, api.LinkNotMe)
	deliveries := []uuid.UUID{uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())}
	var mu sync.Mutex
	got := map[uuid.UUID]int{}
	var wg sync.WaitGroup
	for n := range 16 {
		wg.Go(func() {
			delivery := deliveries[n%2]
			_, err := b.Announce(t.Context(), &api.AnnounceLinkRequest{AccountID: ada.ID, Purpose: api.LinkNotMe, DeliveryID: delivery})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				got[delivery]++
			}
		})
	}
	wg.Wait()
	require.Len(t, got, 1)
	for _, n := range got {
		require.Equal(t, 8, n)
	}
}
