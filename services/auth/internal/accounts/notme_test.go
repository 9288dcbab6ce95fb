package accounts_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/standing"
	"github.com/atrium-mesh/atrium/services/auth/internal/store"
)

// opening is every purpose of a link that could let somebody in.
var opening = []api.LinkPurpose{api.LinkVerifyEmail, api.LinkResetPassword, api.LinkInvitation}

// asked is how a mail's link is made that was asked for under a generation of the account.
func (b *bundle) asked(t *testing.T, account uuid.UUID, purpose api.LinkPurpose, generation int64) error {
	t.Helper()
	_, err := b.links.Announce(t.Context(), &api.AnnounceLinkRequest{
		AccountID:  account,
		Purpose:    purpose,
		DeliveryID: uuid.Must(uuid.NewV7()),
		Generation: generation,
	})
	return err
}

// cause makes as if something had happened that a mail with a link tells of.
func (b *bundle) cause(t *testing.T, account uuid.UUID, purpose api.LinkPurpose) {
	t.Helper()
	now := time.Now()
	require.NoError(t, b.Plain.InTx(t.Context(), func(tx identity.Tx) error {
		return tx.AllowLink(t.Context(), identity.LinkCause{
			AccountID: account,
			Purpose:   string(purpose),
			At:        now,
			ExpiresAt: now.Add(time.Hour),
		})
	}))
}

func (b *bundle) generation(t *testing.T, account uuid.UUID) int64 {
	t.Helper()
	a, err := b.Plain.Account(t.Context(), account)
	require.NoError(t, err)
	return a.Generation
}

func (b *bundle) notMe(t *testing.T, token string) error {
	t.Helper()
	_, err := b.plain.NotMe(t.Context(), &api.NotMeRequest{Body: api.LinkToken{Token: token}})
	return err
}

func (b *bundle) open(t *testing.T, purpose api.LinkPurpose, token string) bool {
	t.Helper()
	_, err := b.links.Look(t.Context(), purpose, token)
	if err != nil {
		require.Equal(t, "link_used", errs.From(err).Code)
	}
	return err == nil
}

func (b *bundle) sessions(t *testing.T, account uuid.UUID) int64 {
	t.Helper()
	n, err := b.Plain.CountOpenSessions(t.Context(), account, identity.Open{Now: time.Now()})
	require.NoError(t, err)
	return n
}

// Whatever opened the account before does not open it after "this wasn't me", however often it is said.
func TestNotMe_closes_everything(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.account(t, "a@example.com")
	before := b.link(t, id, api.LinkNotMe) // of a mail from before the first time
	for round := range int64(2) {
		b.session(t, id)
		tokens := map[api.LinkPurpose]string{}
		for _, purpose := range opening {
			tokens[purpose] = b.link(t, id, purpose)
		}
		last := b.link(t, id, api.LinkNotMe)
		if round == 0 {
			last, before = before, last
		}
		require.NoError(t, b.notMe(t, last))

		for purpose, token := range tokens {
			require.False(t, b.open(t, purpose, token), purpose)
			b.cause(t, id, purpose)
			err := b.asked(t, id, purpose, round)
			require.Equal(t, "link_not_needed", errs.From(err).Code, "%s was asked for before, and is not mailed after", purpose)
		}
		require.True(t, round == 1 || b.open(t, api.LinkNotMe, before), "what only closes stays, for the next time")
		require.Zero(t, b.sessions(t, id))
		password, err := b.Plain.Password(t.Context(), id)
		require.NoError(t, err)
		require.Empty(t, password.Hash)
		require.Equal(t, round+1, b.generation(t, id))
		require.NoError(t, b.asked(t, id, api.LinkResetPassword, round+1), "the mail that this asks for comes")
		before = b.link(t, id, api.LinkNotMe)
	}
}

func TestNotMe_makes_every_device_new(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.account(t, "a@example.com")
	see := func() (known bool) {
		require.NoError(t, b.Plain.InTx(t.Context(), func(tx identity.Tx) (err error) {
			known, err = tx.SeeDevice(t.Context(), id, identity.Device{
				Fingerprint: []byte("the thief's"),
				Name:        "Firefox on Linux",
				At:          time.Now(),
			})
			return err
		}))
		return known
	}
	require.False(t, see(), "the very first")
	require.True(t, see(), "known by now")
	require.NoError(t, b.notMe(t, b.link(t, id, api.LinkNotMe)))
	require.False(t, see(), "it is told of again, also as the first that comes back")
	require.True(t, see())
}

// Each way to set a password closes the links of the others. Whoever is signed in only keeps the session, and the owner of an address
// that is not proved keeps the link that proves it.
func TestAnotherPassword_closes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change  func(t *testing.T, b *bundle, id, session uuid.UUID) error
		remains []api.LinkPurpose
		open    int64
	}{
		"a_reset": {change: func(t *testing.T, b *bundle, id, _ uuid.UUID) error {
			_, err := b.plain.ResetPassword(t.Context(), &api.ResetPasswordRequest{
				Body: api.PasswordReset{Token: b.link(t, id, api.LinkResetPassword), Password: otherPassword},
			})
			return err
		}},
		"a_proof_with_another_password": {change: func(t *testing.T, b *bundle, id, _ uuid.UUID) error {
			_, err := b.plain.VerifyEmail(t.Context(), &api.VerifyEmailRequest{
				Body: api.Verification{Token: b.link(t, id, api.LinkVerifyEmail), NewPassword: otherPassword},
			})
			return err
		}},
		"an_invitation": {change: func(t *testing.T, b *bundle, id, _ uuid.UUID) error {
			_, err := b.plain.AcceptInvitation(t.Context(), &api.AcceptInvitationRequest{
				Body: api.InvitationAcceptance{Token: b.link(t, id, api.LinkInvitation), Password: otherPassword},
			})
			return err
		}},
		"a_change": {change: func(t *testing.T, b *bundle, id, session uuid.UUID) error {
			who := &authz.Principal{Subject: id.String(), SessionID: session.String(), OrgID: identity.Org}
			_, err := b.plain.ChangePassword(authz.WithPrincipal(t.Context(), who), &api.ChangePasswordRequest{
				Body: api.PasswordChange{CurrentPassword: goodPassword, NewPassword: otherPassword},
			})
			return err
		}, remains: []api.LinkPurpose{api.LinkVerifyEmail}, open: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			id := b.account(t, "a@example.com")
			session := b.session(t, id)
			b.session(t, id)
			tokens := map[api.LinkPurpose]string{}
			for _, purpose := range opening {
				tokens[purpose] = b.link(t, id, purpose)
			}
			require.NoError(t, tt.change(t, b, id, session))
			var remains []api.LinkPurpose
			for purpose, token := range tokens {
				if b.open(t, purpose, token) {
					remains = append(remains, purpose)
				}
			}
			require.Equal(t, tt.remains, remains)
			require.Equal(t, tt.open, b.sessions(t, id))
			for _, purpose := range []api.LinkPurpose{api.LinkResetPassword, api.LinkInvitation} {
				err := b.asked(t, id, purpose, 1)
				require.Error(t, err, "what had caused it is forgotten")
				b.cause(t, id, purpose)
				require.Equal(t, "link_not_needed", errs.From(b.asked(t, id, purpose, 0)).Code)
			}
			require.NoError(t, b.asked(t, id, api.LinkResetPassword, 1))
		})
	}
}

// A link that is made while the account is closed is closed as well, or not made.
func TestNotMe_while_a_link_is_made(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.account(t, "a@example.com")
	for round := range int64(10) {
		var wg sync.WaitGroup
		made := make([]string, 4)
		token := b.link(t, id, api.LinkNotMe)
		for range made {
			b.cause(t, id, api.LinkResetPassword)
		}
		for i := range made {
			wg.Go(func() {
				out, err := b.links.For(t.Context(), &api.AnnounceLinkRequest{
					AccountID: id, Purpose: api.LinkResetPassword, DeliveryID: uuid.Must(uuid.NewV7()), Generation: round,
				})
				if err == nil {
					made[i] = tokenOf(t, out.URL)
				}
			})
		}
		wg.Go(func() { _ = b.notMe(t, token) })
		wg.Wait()
		require.Equal(t, round+1, b.generation(t, id))
		for _, raw := range made {
			require.False(t, raw != "" && b.open(t, api.LinkResetPassword, raw))
		}
	}
}

// Whichever of a change and "this wasn't me" comes first, afterwards nothing that was there before opens the account: either the change
// was refused, or it was undone.
func TestNotMe_at_the_same_time_as(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]func(ctx context.Context, b *bundle, reset, verify string, who *authz.Principal) error{
		"a_reset": func(ctx context.Context, b *bundle, reset, _ string, _ *authz.Principal) error {
			_, err := b.plain.ResetPassword(ctx, &api.ResetPasswordRequest{Body: api.PasswordReset{Token: reset, Password: otherPassword}})
			return err
		},
		"a_proof": func(ctx context.Context, b *bundle, _, verify string, _ *authz.Principal) error {
			_, err := b.plain.VerifyEmail(ctx, &api.VerifyEmailRequest{Body: api.Verification{Token: verify, NewPassword: otherPassword}})
			return err
		},
		"a_change": func(ctx context.Context, b *bundle, _, _ string, who *authz.Principal) error {
			_, err := b.plain.ChangePassword(authz.WithPrincipal(ctx, who), &api.ChangePasswordRequest{
				Body: api.PasswordChange{CurrentPassword: goodPassword, NewPassword: otherPassword},
			})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 6 {
				b := setup(t)
				id := b.account(t, "a@example.com")
				who := &authz.Principal{Subject: id.String(), SessionID: b.session(t, id).String(), OrgID: identity.Org}
				notMe, reset, verify := b.link(t, id, api.LinkNotMe), b.link(t, id, api.LinkResetPassword), b.link(t, id, api.LinkVerifyEmail)
				var wg sync.WaitGroup
				var changed, closed error
				wg.Go(func() { changed = other(t.Context(), b, reset, verify, who) })
				wg.Go(func() { closed = b.notMe(t, notMe) })
				wg.Wait()
				require.NoError(t, closed)
				require.True(t, changed == nil || errors.Is(changed, errs.Invalid) || errors.Is(changed, errs.Forbidden), "%v", changed)
				password, err := b.Plain.Password(t.Context(), id)
				require.NoError(t, err)
				require.Empty(t, password.Hash)
				require.Zero(t, b.sessions(t, id))
				require.False(t, b.open(t, api.LinkResetPassword, reset))
				require.False(t, b.open(t, api.LinkVerifyEmail, verify))
			}
		})
	}
}

// Whoever is kept out today may be let in again tomorrow: what the thief knows must be worth nothing by then.
func TestNotMe_closes_in_every_standing(t *testing.T) {
	t.Parallel()
	for _, status := range []string{identity.StatusDisabled, identity.StatusDeleted} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			id := b.account(t, "a@example.com")
			token, reset := b.link(t, id, api.LinkNotMe), b.link(t, id, api.LinkResetPassword)
			b.stand(t, id, status)
			_, err := b.plain.ResetPassword(t.Context(), &api.ResetPasswordRequest{Body: api.PasswordReset{Token: reset, Password: otherPassword}})
			require.Equal(t, "link_invalid", errs.From(err).Code, "nothing opens it meanwhile")
			require.NoError(t, b.notMe(t, token))
			password, err := b.Plain.Password(t.Context(), id)
			require.NoError(t, err)
			require.Empty(t, password.Hash)
			require.EqualValues(t, 1, b.generation(t, id))
			require.False(t, b.open(t, api.LinkResetPassword, reset))
			b.cause(t, id, api.LinkResetPassword)
			require.Equal(t, "link_not_needed", errs.From(b.asked(t, id, api.LinkResetPassword, 1)).Code, "the mail comes when it can be used again")
		})
	}
	b := setup(t)
	id := b.account(t, "a@example.com")
	token := b.link(t, id, api.LinkNotMe)
	b.stand(t, id, identity.StatusErased)
	require.Equal(t, "link_invalid", errs.From(b.notMe(t, token)).Code)
}

// stand puts an account into a status.
func (b *bundle) stand(t *testing.T, account uuid.UUID, status string) {
	t.Helper()
	require.NoError(t, b.Plain.InTx(t.Context(), func(tx identity.Tx) error {
		_, err := tx.(*store.Tx).SetStanding(t.Context(), account, standing.Change{Status: status, At: time.Now()})
		return err
	}))
}
