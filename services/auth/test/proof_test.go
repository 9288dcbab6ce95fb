package test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/services/auth/api"
)

// signUp is a browser that signs up, with the cookie that it got.
func (m *mesh) signUp(t testing.TB, email string) client {
	t.Helper()
	c := m.client(t)
	a := c.post(signUpPath, object{"email": email, "password": goodPassword, "full_name": "Ada Lovelace"}).want(t, 202)
	require.Len(t, a.Cookies(), 1)
	cookie := a.Cookies()[0]
	require.Equal(t, api.CookieSignUp, cookie.Name)
	require.True(t, cookie.HttpOnly && cookie.Secure)
	require.Equal(t, http.SameSiteLaxMode, cookie.SameSite)
	require.Equal(t, "/", cookie.Path)
	c.cookie = cookie.Name + "=" + cookie.Value
	return c
}

func (c client) verify(body object) answer {
	c.t.Helper()
	return c.post("/api/v1/auth/verify-email", body)
}

// Eve signs up with Ada's address. Whatever Ada does with the link, Eve's password does not become good.
func TestProof(t *testing.T) {
	t.Parallel()
	m := setup(t, config.Source{"REQUIRE_VERIFIED_EMAIL": "false"}) // so that Eve is even signed in
	in := func(c client, email, password string) answer {
		return c.post("/api/v1/auth/login", object{"email": email, "password": password})
	}

	t.Run("the_link_alone_proves_nothing", func(t *testing.T) {
		t.Parallel()
		m.signUp(t, "a@example.com")
		id := m.idOf(t, "a@example.com")
		token := m.link(t, id, api.LinkVerifyEmail)
		m.client(t).verify(object{"token": token}).refused(t, 422, "password_required")
		foreign := m.signUp(t, "b@example.com")
		foreign.verify(object{"token": token}).refused(t, 422, "password_required")
		decoy := m.signUp(t, "a@example.com") // the address is taken by now
		decoy.verify(object{"token": token}).refused(t, 422, "password_required")
		m.client(t).verify(object{"token": token, "password": "", "new_password": ""}).refused(t, 422, "validation_failed")
		m.client(t).verify(object{"token": token, "password": goodPassword, "new_password": otherPassword}).refused(t, 422, "validation_failed")
		require.Empty(t, outbox[api.AccountVerifiedData](t, m, api.AccountVerified.Name, id))
		m.client(t).verify(object{"token": token, "password": goodPassword}).want(t, 204) // and the link is still good
	})

	t.Run("in_the_browser_that_signed_up", func(t *testing.T) {
		t.Parallel()
		browser := m.signUp(t, "browser@example.com")
		token := m.link(t, m.idOf(t, "browser@example.com"), api.LinkVerifyEmail)
		a := browser.verify(object{"token": token}).want(t, 204)
		require.Equal(t, -1, a.Cookies()[0].MaxAge, "it has served")
		in(m.client(t), "browser@example.com", goodPassword).want(t, 200)
		var kept int
		require.NoError(t, m.pool.QueryRow(t.Context(), "SELECT count(*) FROM sign_up_browsers WHERE account_id = $1", m.idOf(t, "browser@example.com")).Scan(&kept))
		require.Zero(t, kept)
	})

	t.Run("a_wrong_password_leaves_the_link_good_and_is_counted", func(t *testing.T) {
		t.Parallel()
		m.signUp(t, "wrong@example.com")
		id := m.idOf(t, "wrong@example.com")
		token := m.link(t, id, api.LinkVerifyEmail)
		c := m.client(t)
		c.ip = "198.51.100.77"
		for range 5 {
			c.verify(object{"token": token, "password": otherPassword}).refused(t, 403, "wrong_password")
		}
		c.verify(object{"token": token, "password": goodPassword}).refused(t, 429, "too_many_attempts")
		require.Equal(t, 5, m.audits(t, "account.verified", "failure", id.String()))
		m.client(t).verify(object{"token": token, "password": goodPassword}).want(t, 204)
	})

	t.Run("another_password_ends_what_the_first_one_opened", func(t *testing.T) {
		t.Parallel()
		eve := m.signUp(t, "ada@example.com")
		tokens := read[api.Tokens](t, in(eve, "ada@example.com", goodPassword).want(t, 200))
		id := m.idOf(t, "ada@example.com")
		token, spare, reset := m.link(t, id, api.LinkVerifyEmail), m.link(t, id, api.LinkVerifyEmail), m.link(t, id, api.LinkResetPassword)
		ada := m.client(t)
		ada.ip = "198.51.100.9"
		problem := read[errs.Problem](t, ada.verify(object{"token": token, "new_password": "adalovelace ada"}).refused(t, 422, "validation_failed"))
		require.Equal(t, "body.new_password", problem.Errors[0].Field)
		ada.verify(object{"token": token, "new_password": otherPassword}).want(t, 204)

		m.soonRefused(t, tokens.AccessToken)
		eve.refresh(tokens.RefreshToken).refused(t, 401, "refresh_token_invalid")
		in(eve, "ada@example.com", goodPassword).refused(t, 401, "invalid_credentials")
		eve.verify(object{"token": spare}).refused(t, 422, "link_used")
		eve.post("/api/v1/auth/password/reset", object{"token": reset, "password": "another fine evening"}).refused(t, 422, "link_used")
		in(ada, "ada@example.com", otherPassword).want(t, 200)
		require.Len(t, outbox[api.AccountVerifiedData](t, m, api.AccountVerified.Name, id), 1)
		require.Len(t, outbox[api.PasswordChangedData](t, m, api.PasswordChanged.Name, id), 1)
	})

	t.Run("so_does_a_reset", func(t *testing.T) {
		t.Parallel()
		eve := m.signUp(t, "reset@example.com")
		tokens := read[api.Tokens](t, in(eve, "reset@example.com", goodPassword).want(t, 200))
		id := m.idOf(t, "reset@example.com")
		verify := m.link(t, id, api.LinkVerifyEmail)
		m.client(t).post("/api/v1/auth/password/reset", object{"token": m.link(t, id, api.LinkResetPassword), "password": otherPassword}).want(t, 204)
		m.soonRefused(t, tokens.AccessToken)
		eve.verify(object{"token": verify}).refused(t, 422, "link_used")
	})
}

func TestDisown(t *testing.T) {
	t.Parallel()
	m := setup(t, config.Source{"REQUIRE_VERIFIED_EMAIL": "false"})
	disown := func(token string) answer {
		return m.client(t).post("/api/v1/auth/registration/disown", object{"token": token})
	}

	t.Run("removes_the_account_at_once", func(t *testing.T) {
		t.Parallel()
		eve := m.signUp(t, "ada@example.com")
		tokens := eve.login("ada@example.com", goodPassword)
		id := m.idOf(t, "ada@example.com")
		token, spare := m.link(t, id, api.LinkVerifyEmail), m.link(t, id, api.LinkVerifyEmail)
		disown("nonsense").refused(t, 422, "link_invalid")
		disown(token).want(t, 204)
		disown(token).refused(t, 422, "link_invalid")
		disown(spare).refused(t, 422, "link_invalid")
		m.soonRefused(t, tokens.AccessToken)
		eve.refresh(tokens.RefreshToken).refused(t, 401, "refresh_token_invalid")
		eve.post("/api/v1/auth/login", object{"email": "ada@example.com", "password": goodPassword}).refused(t, 401, "invalid_credentials")
		require.Len(t, outbox[api.AccountData](t, m, api.AccountDisowned.Name, id), 1)
		require.Equal(t, 1, m.audits(t, "registration.disowned", "success", id.String()))
		_, err := op.NATSClient(m.by("notifications"), api.AnnounceLink)(t.Context(), &api.AnnounceLinkRequest{
			AccountID: id, Purpose: api.LinkVerifyEmail, DeliveryID: uuid.Must(uuid.NewV7()),
		})
		require.ErrorIs(t, err, errs.NotFound, "a mail that waits is not sent")

		m.signUp(t, "ada@example.com") // the address is free again
		require.NotEqual(t, id, m.idOf(t, "ada@example.com"))
	})

	t.Run("goes_at_once_when_who_signed_up_deletes_it", func(t *testing.T) {
		t.Parallel()
		eve := m.signUp(t, "grace@example.com")
		tokens := eve.login("grace@example.com", goodPassword)
		id := m.idOf(t, "grace@example.com")
		out, err := m.act(t, tokens.AccessToken, api.VerbDelete, id)
		require.NoError(t, err)
		require.Equal(t, api.StandingErased, out.Standing)
		require.Len(t, outbox[api.AccountData](t, m, api.AccountDisowned.Name, id), 1)
		told := outbox[api.AccountStandingChangedData](t, m, api.AccountStandingChanged.Name, id)
		require.Len(t, told, 1)
		require.Equal(t, api.StandingErased, told[0].Standing)
		m.soonRefused(t, tokens.AccessToken)
		m.signUp(t, "grace@example.com") // nobody is kept out of their address
		require.NotEqual(t, id, m.idOf(t, "grace@example.com"))
	})

	t.Run("while_it_is_deleted_but_not_while_it_is_kept_out", func(t *testing.T) {
		t.Parallel()
		_, root := m.as(t, api.RoleAdmin)
		for verb, want := range map[api.Verb]int{api.VerbDelete: 204, api.VerbDeactivate: 422} {
			id := m.register(t, string(verb)+"-disown@example.com")
			token := m.link(t, id, api.LinkVerifyEmail)
			_, err := m.act(t, root.token, verb, id)
			require.NoError(t, err)
			require.Equal(t, 422, m.verify(t, token).StatusCode, "nobody gets in by it")
			disown(token).want(t, want)
		}
	})

	t.Run("not_after_the_proof", func(t *testing.T) {
		t.Parallel()
		id := m.register(t, "done@example.com")
		token, spare := m.link(t, id, api.LinkVerifyEmail), m.link(t, id, api.LinkVerifyEmail)
		m.verify(t, token).want(t, 204)
		disown(spare).refused(t, 422, "link_used")
		disown(m.link(t, id, api.LinkResetPassword)).refused(t, 422, "link_invalid")
	})

	t.Run("not_what_others_built_on", func(t *testing.T) {
		t.Parallel()
		id := m.register(t, "boss@example.com")
		m.assign(t, id, api.RoleSupport)
		token := m.link(t, id, api.LinkVerifyEmail)
		disown(token).refused(t, 409, "not_removable")
		m.verify(t, token).want(t, 204)
	})

	t.Run("or_the_proof_but_not_both", func(t *testing.T) {
		t.Parallel()
		id := m.register(t, "race@example.com")
		token := m.link(t, id, api.LinkVerifyEmail)
		done := make(chan bool, 2)
		go func() { done <- m.verify(t, token).StatusCode == 204 }()
		go func() { done <- disown(token).StatusCode == 204 }()
		require.NotEqual(t, <-done, <-done)
		verified := len(outbox[api.AccountVerifiedData](t, m, api.AccountVerified.Name, id))
		require.Equal(t, 1, verified+len(outbox[api.AccountData](t, m, api.AccountDisowned.Name, id)))
	})
}

// A browser keeps what it is recognised by, whatever it signs up with: another cookie for a taken address would make whoever clicks twice a
// stranger, and would tell that the address is taken.
func TestSignUp_again_in_the_same_browser(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	m.person(t, "grace@example.com")
	again := func(c client, email string) string {
		t.Helper()
		a := c.post(signUpPath, object{"email": email, "password": goodPassword, "full_name": "Ada Lovelace"}).want(t, 202)
		require.Len(t, a.Cookies(), 1)
		require.Positive(t, a.Cookies()[0].MaxAge)
		return a.Cookies()[0].Name + "=" + a.Cookies()[0].Value
	}
	ada := m.signUp(t, "ada@example.com")
	for _, email := range []string{"ada@example.com", "grace@example.com", "another@example.com"} {
		require.Equal(t, ada.cookie, again(ada, email), email)
	}
	stranger := m.signUp(t, "grace@example.com")
	for _, email := range []string{"ada@example.com", "grace@example.com", "third@example.com"} {
		require.Equal(t, stranger.cookie, again(stranger, email), email)
	}
	stranger.verify(object{"token": m.link(t, m.idOf(t, "ada@example.com"), api.LinkVerifyEmail)}).refused(t, 422, "password_required")
	for _, email := range []string{"ada@example.com", "another@example.com"} {
		ada.verify(object{"token": m.link(t, m.idOf(t, email), api.LinkVerifyEmail)}).want(t, 204)
	}

	forged := m.client(t)
	for _, value := range []string{"x", "AAAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAA1", "AAAAAAAAAAAAAAAAAAAAAAAAAAA"} {
		forged.cookie = api.CookieSignUp + "=" + value
		require.NotEqual(t, forged.cookie, again(forged, "ada@example.com"))
	}
}
