package test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/services/auth/api"
)

func TestChangePassword(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	id := m.person(t, "ada@example.com")
	mine, other := m.client(t).login("ada@example.com", goodPassword), m.client(t).login("ada@example.com", goodPassword)
	c := m.client(t).with(mine.AccessToken)
	change := func(current, next string) answer {
		return c.post("/api/v1/auth/password/change", object{"current_password": current, "new_password": next})
	}

	change("wrong", otherPassword).refused(t, 403, "wrong_password")
	require.Equal(t, 1, m.audits(t, "password.changed", "failure", id.String()))
	problem := read[errs.Problem](t, change(goodPassword, "ada lovelace").refused(t, 422, "validation_failed"))
	require.Equal(t, "body.new_password", problem.Errors[0].Field)
	m.client(t).post("/api/v1/auth/password/change", object{"current_password": goodPassword, "new_password": otherPassword}).refused(t, 401, "token_missing")

	change(goodPassword, otherPassword).want(t, 204)
	require.True(t, m.signedIn(t, mine.AccessToken), "this session stays")
	m.client(t).refresh(mine.RefreshToken).want(t, 200)
	m.soonRefused(t, other.AccessToken)
	m.client(t).refresh(other.RefreshToken).refused(t, 401, "refresh_token_invalid")
	m.client(t).post("/api/v1/auth/login", object{"email": "ada@example.com", "password": goodPassword}).refused(t, 401, "invalid_credentials")
	m.client(t).login("ada@example.com", otherPassword)

	told := outbox[api.PasswordChangedData](t, m, api.PasswordChanged.Name, id)
	require.Len(t, told, 1)
	require.Equal(t, "change", told[0].How)
	require.Equal(t, "Firefox on Linux", told[0].Device)
}

func TestChangePassword_slows_down(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	m.person(t, "ada@example.com")
	c := m.client(t).with(m.client(t).login("ada@example.com", goodPassword).AccessToken)
	for range 5 {
		c.post("/api/v1/auth/password/change", object{"current_password": "wrong", "new_password": otherPassword}).refused(t, 403, "wrong_password")
	}
	c.post("/api/v1/auth/password/change", object{"current_password": goodPassword, "new_password": otherPassword}).refused(t, 429, "too_many_attempts")
}

func TestForgotPassword(t *testing.T) {
	t.Parallel()
	m := setup(t, config.Source{"UNIFORM_ANSWER_TIME": "150ms"})
	id := m.person(t, "ada@example.com")
	disabled := m.person(t, "off@example.com")
	_, err := m.pool.Exec(t.Context(), "UPDATE accounts SET status = 'disabled' WHERE id = $1", disabled)
	require.NoError(t, err)
	c := m.client(t)
	for _, email := range []string{"ada@example.com", "nobody@example.com", "ADA@example.com", "off@example.com", "not an address"} {
		start := time.Now()
		a := c.post("/api/v1/auth/password/forgot", object{"email": email}).want(t, 202)
		require.GreaterOrEqual(t, time.Since(start), 150*time.Millisecond)
		require.Empty(t, a.body)
	}
	require.Len(t, outbox[api.AccountData](t, m, api.PasswordResetRequested.Name, id), 1, "at most one mail a minute")
	require.Empty(t, outbox[api.AccountData](t, m, api.PasswordResetRequested.Name, disabled))
}

func TestResetPassword(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	id := m.register(t, "ada@example.com")
	c := m.client(t)
	reset := func(token, password string) answer {
		return c.post("/api/v1/auth/password/reset", object{"token": token, "password": password})
	}
	m.verify(t, m.link(t, id, api.LinkVerifyEmail)).want(t, 204)
	tokens := c.login("ada@example.com", goodPassword)
	token, spare := m.link(t, id, api.LinkResetPassword), m.link(t, id, api.LinkResetPassword)

	reset("nonsense", otherPassword).refused(t, 422, "link_invalid")
	reset(token, "lovelace.ada").refused(t, 422, "validation_failed")
	reset(token, otherPassword).want(t, 204)
	reset(token, otherPassword).refused(t, 422, "link_used")
	reset(spare, otherPassword).refused(t, 422, "link_used")
	m.soonRefused(t, tokens.AccessToken)
	c.refresh(tokens.RefreshToken).refused(t, 401, "refresh_token_invalid")
	c.login("ada@example.com", otherPassword)
	told := outbox[api.PasswordChangedData](t, m, api.PasswordChanged.Name, id)
	require.Len(t, told, 1)
	require.Equal(t, "reset", told[0].How)

	t.Run("verifies_the_address_too", func(t *testing.T) {
		t.Parallel()
		id := m.register(t, "new@example.com")
		reset(m.link(t, id, api.LinkResetPassword), otherPassword).want(t, 204)
		c.login("new@example.com", otherPassword)
		require.Len(t, outbox[api.AccountVerifiedData](t, m, api.AccountVerified.Name, id), 1)
	})

	t.Run("not_for_a_disabled_account", func(t *testing.T) {
		t.Parallel()
		id := m.register(t, "off@example.com")
		token := m.link(t, id, api.LinkResetPassword)
		_, err := m.pool.Exec(t.Context(), "UPDATE accounts SET status = 'disabled' WHERE id = $1", id)
		require.NoError(t, err)
		reset(token, otherPassword).refused(t, 422, "link_invalid")
	})
}

func TestNotMe(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	id := m.person(t, "ada@example.com")
	c := m.client(t)
	tokens := c.login("ada@example.com", goodPassword)
	token := m.link(t, id, api.LinkNotMe)

	c.post("/api/v1/auth/not-me", object{"token": "nonsense"}).refused(t, 422, "link_invalid")
	c.post("/api/v1/auth/not-me", object{"token": token}).want(t, 204)
	c.post("/api/v1/auth/not-me", object{"token": token}).refused(t, 422, "link_used")
	m.soonRefused(t, tokens.AccessToken)
	c.refresh(tokens.RefreshToken).refused(t, 401, "refresh_token_invalid")
	c.post("/api/v1/auth/login", object{"email": "ada@example.com", "password": goodPassword}).refused(t, 401, "invalid_credentials")
	require.Len(t, outbox[api.AccountData](t, m, api.PasswordResetRequested.Name, id), 1)
	require.Equal(t, 1, m.audits(t, "account.not_me", "success", id.String()))
	c.post("/api/v1/auth/password/reset", object{"token": m.link(t, id, api.LinkResetPassword), "password": otherPassword}).want(t, 204)
	c.login("ada@example.com", otherPassword)
}

// The thief has signed in, and the owner got the mail of the new device. Whatever happens to the account meanwhile, the thief's knowledge of
// the password is worth nothing once the owner has said so.
func TestNotMe_while_nobody_may_in(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	_, root := m.as(t, api.RoleAdmin)
	for name, c := range map[string]struct {
		away, back api.Verb
		by         func(thief string) string // whose token takes the account away
	}{
		"deactivated by an administrator": {api.VerbDeactivate, api.VerbActivate, func(string) string { return root.token }},
		"deleted by the thief":            {api.VerbDelete, api.VerbRestore, func(thief string) string { return thief }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			email := string(c.away) + "@example.com"
			id, client := m.person(t, email), m.client(t)
			thief := client.login(email, goodPassword)
			token := m.link(t, id, api.LinkNotMe)
			_, err := m.act(t, c.by(thief.AccessToken), c.away, id)
			require.NoError(t, err)

			client.post("/api/v1/auth/not-me", object{"token": token}).want(t, 204)
			require.Empty(t, outbox[api.AccountData](t, m, api.PasswordResetRequested.Name, id), "there is no use for it yet")
			_, err = m.act(t, root.token, c.back, id)
			require.NoError(t, err)
			client.post("/api/v1/auth/login", object{"email": email, "password": goodPassword}).refused(t, 401, "invalid_credentials")
			require.Len(t, outbox[api.AccountData](t, m, api.PasswordResetRequested.Name, id), 1, "the owner gets a way in")
			client.post("/api/v1/auth/password/reset", object{"token": m.link(t, id, api.LinkResetPassword), "password": otherPassword}).want(t, 204)
			client.login(email, otherPassword)
		})
	}
}

func TestInvitation(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	ask := op.NATSClient(m.by("users"), api.CreateAccount)
	_, boss := m.as(t, "admin")
	create := func(ctx context.Context, in *api.CreateAccountRequest) (*api.CreateAccountResponse, error) {
		return ask(request.WithToken(ctx, boss.token), in)
	}
	invite := func(t *testing.T, email string, roles ...string) uuid.UUID {
		t.Helper()
		id := uuid.Must(uuid.NewV7())
		made, err := create(t.Context(), &api.CreateAccountRequest{ID: id, Email: email, FullName: "Grace Hopper", Locale: "en", Roles: roles})
		require.NoError(t, err)
		require.Equal(t, id, made.ID)
		return id
	}
	c := m.client(t)

	t.Run("is_accepted_once", func(t *testing.T) {
		t.Parallel()
		id := invite(t, "grace@example.com", "support", "user")
		told := outbox[api.AccountRegisteredData](t, m, api.AccountRegistered.Name, id)
		require.Equal(t, api.OriginInvitation, told[0].Origin)
		require.Equal(t, []string{"support", "user"}, told[0].Roles)
		c.post("/api/v1/auth/login", object{"email": "grace@example.com", "password": ""}).refused(t, 422, "validation_failed")
		c.post("/api/v1/auth/login", object{"email": "grace@example.com", "password": goodPassword}).refused(t, 401, "invalid_credentials")

		token := m.link(t, id, api.LinkInvitation)
		accept := object{"token": token, "password": goodPassword, "full_name": "Rear Admiral Hopper"}
		c.post("/api/v1/auth/invitation/accept", object{"token": token, "password": goodPassword, "full_name": "\t"}).refused(t, 422, "validation_failed")
		c.post("/api/v1/auth/invitation/accept", object{"token": token, "password": "admiral hopper"}).want(t, 422)
		c.post("/api/v1/auth/invitation/accept", accept).want(t, 204)
		c.post("/api/v1/auth/invitation/accept", accept).refused(t, 422, "link_used")
		grace := c.login("grace@example.com", goodPassword).AccessToken
		require.Contains(t, scopeOf(t, grace), "users:read")

		verified := outbox[api.AccountVerifiedData](t, m, api.AccountVerified.Name, id)
		require.Len(t, verified, 1)
		require.Equal(t, "Rear Admiral Hopper", verified[0].FullName)
		got, err := op.NATSClient(m.by("users"), api.GetAccount)(request.WithToken(t.Context(), grace), &api.GetAccountRequest{ID: id})
		require.NoError(t, err)
		require.Equal(t, "Rear Admiral Hopper", got.FullName)
		require.True(t, got.Verified)
		require.Equal(t, []string{"support", "user"}, got.Roles)
		require.Equal(t, "active", got.Status)
	})

	t.Run("is_idempotent", func(t *testing.T) {
		t.Parallel()
		id := invite(t, "twice@example.com")
		for range 2 {
			made, err := create(t.Context(), &api.CreateAccountRequest{ID: id, Email: "Twice@example.com", FullName: "Grace"})
			require.NoError(t, err)
			require.Equal(t, id, made.ID)
		}
		require.Len(t, outbox[api.AccountRegisteredData](t, m, api.AccountRegistered.Name, id), 1)
		_, err := create(t.Context(), &api.CreateAccountRequest{ID: id, Email: "another@example.com", FullName: "Grace"})
		require.ErrorIs(t, err, errs.Conflict)
		require.Equal(t, "id_taken", errs.From(err).Code)
	})

	for name, tt := range map[string]struct {
		change func(*api.CreateAccountRequest)
		kind   errs.Kind
		code   string
	}{
		"no_id":             {func(r *api.CreateAccountRequest) { r.ID = uuid.Nil }, errs.Invalid, "validation_failed"},
		"no_address":        {func(r *api.CreateAccountRequest) { r.Email = "nonsense" }, errs.Invalid, "validation_failed"},
		"no_name":           {func(r *api.CreateAccountRequest) { r.FullName = "" }, errs.Invalid, "validation_failed"},
		"an_unknown_role":   {func(r *api.CreateAccountRequest) { r.Roles = []string{"emperor"} }, errs.Invalid, "unknown_role"},
		"an_address_in_use": {func(r *api.CreateAccountRequest) { r.Email = "taken@example.com" }, errs.Conflict, "email_taken"},
	} {
		t.Run("refuses_"+name, func(t *testing.T) {
			t.Parallel()
			if name == "an_address_in_use" {
				m.register(t, "taken@example.com")
			}
			in := &api.CreateAccountRequest{ID: uuid.Must(uuid.NewV7()), Email: name + "@example.com", FullName: "Grace"}
			tt.change(in)
			_, err := create(t.Context(), in)
			require.ErrorIs(t, err, tt.kind)
			require.Equal(t, tt.code, errs.From(err).Code)
		})
	}

	t.Run("nobody_gives_more_than_he_has", func(t *testing.T) {
		t.Parallel()
		_, support := m.as(t, "support")
		boss.post("/api/v1/roles", object{"name": "hr", "permissions": []string{"users:write"}}).want(t, 201)
		_, hr := m.as(t, "hr")
		in := func(role string) *api.CreateAccountRequest {
			return &api.CreateAccountRequest{ID: uuid.Must(uuid.NewV7()), Email: newID() + "@example.com", FullName: "Grace", Roles: []string{role}}
		}
		_, err := ask(request.WithToken(t.Context(), support.token), in("user"))
		require.Equal(t, "permission_denied", errs.From(err).Code, "whoever may not make users may not through users, either")
		_, err = ask(request.WithToken(t.Context(), hr.token), in("admin"))
		require.Equal(t, "permission_not_held", errs.From(err).Code)
		_, err = ask(request.WithToken(t.Context(), hr.token), in("hr"))
		require.Equal(t, "permission_not_held", errs.From(err).Code, "assigning roles is a permission, too")
		_, err = ask(request.WithToken(t.Context(), hr.token), in("user"))
		require.NoError(t, err)
		_, err = ask(t.Context(), in("user"))
		require.Equal(t, "token_missing", errs.From(err).Code, "nobody makes nobody")
		_, err = ask(request.WithToken(t.Context(), boss.token), in("admin"))
		require.NoError(t, err)
	})

	t.Run("get_account_of_somebody_else", func(t *testing.T) {
		t.Parallel()
		id := invite(t, "heidi@example.com")
		_, err := op.NATSClient(m.by("users"), api.GetAccount)(request.WithToken(t.Context(), boss.token), &api.GetAccountRequest{ID: id})
		require.ErrorIs(t, err, errs.NotFound)
		require.Equal(t, "account_not_found", errs.From(err).Code)
	})
}

// What only looks like somebody's address is nobody's: it finds no account, and no mail goes there.
func TestAddress_that_looks_like_another(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	id := m.person(t, "boss@example.com")
	c := m.client(t)
	for _, email := range []string{"boſs@example.com", "ｂoss@example.com", "boss@ｅxample.com"} {
		c.post("/api/v1/auth/login", object{"email": email, "password": goodPassword}).refused(t, 401, "invalid_credentials")
		c.post("/api/v1/auth/password/forgot", object{"email": email}).want(t, 202)
		c.post("/api/v1/auth/resend-verification", object{"email": email}).want(t, 202)
		require.Equal(t, "validation_failed", m.invite(t, email).Code)
	}
	require.Empty(t, outbox[api.AccountData](t, m, api.PasswordResetRequested.Name, id))
	c.login("BOSS@example.com", goodPassword)
	c.post("/api/v1/auth/password/forgot", object{"email": "Boss@Example.COM"}).want(t, 202)
	require.Len(t, outbox[api.AccountData](t, m, api.PasswordResetRequested.Name, id), 1)
}
