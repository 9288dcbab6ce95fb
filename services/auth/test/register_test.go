package test

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
)

func TestRegister_refuses(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	good := object{"email": "grace@example.com", "password": goodPassword, "full_name": "Grace Hopper"}
	m.client(t).post("/api/v1/auth/register", good).want(t, 202)

	tests := map[string]struct {
		change object
		field  string
		code   string
	}{
		"an_address_that_is_none":      {object{"email": "not-an-address"}, "body.email", "format"},
		"an_address_with_a_name":       {object{"email": "Eve <eve@example.com>"}, "body.email", "format"},
		"an_address_of_two_mailboxes":  {object{"email": "ılker@example.com"}, "body.email", "format"},
		"an_address_without_a_domain":  {object{"email": "eve@localhost"}, "body.email", "format"},
		"an_address_with_long_s":       {object{"email": "boſs@example.com"}, "body.email", "format"},
		"an_address_of_wide_letters":   {object{"email": "wｉde@example.com"}, "body.email", "format"},
		"an_address_with_a_ligature":   {object{"email": "ﬁna@example.com"}, "body.email", "format"},
		"a_domain_of_wide_letters":     {object{"email": "fina@ｅxample.com"}, "body.email", "format"},
		"a_short_password":             {object{"password": "bicycles"}, "body.password", "too_short"},
		"a_long_password":              {object{"password": strings.Repeat("x7 ", 100)}, "body.password", "too_long"},
		"a_common_password":            {object{"password": "password1234"}, "body.password", "password_common"},
		"the_own_name_as_password":     {object{"full_name": "Margaret Hamilton", "password": "margarethamilton"}, "body.password", "password_personal"},
		"an_empty_name":                {object{"full_name": ""}, "body.full_name", "too_short"},
		"a_blank_name":                 {object{"full_name": "   "}, "body.full_name", "required"},
		"a_name_of_two_lines":          {object{"full_name": "Eve\nBcc: x"}, "body.full_name", "format"},
		"a_name_that_turns_round":      {object{"full_name": "Eve \u202eadA"}, "body.full_name", "format"},
		"a_language_that_is_none":      {object{"locale": "xx"}, "body.locale", "unknown_locale"},
		"a_locale_that_is_none":        {object{"locale": "en GB"}, "body.locale", "pattern"},
		"a_field_that_is_not_known":    {object{"is_admin": true}, "body.is_admin", "unknown_field"},
		"roles_that_one_gives_oneself": {object{"roles": []string{"admin"}}, "body.roles", "unknown_field"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := object{"email": newID() + "@example.com", "password": goodPassword, "full_name": "Eve"}
			maps.Copy(body, tt.change)
			a := m.client(t).post("/api/v1/auth/register", body).refused(t, 422, "validation_failed")
			problem := read[errs.Problem](t, a)
			require.Len(t, problem.Errors, 1)
			require.Equal(t, tt.field, problem.Errors[0].Field)
			require.Equal(t, tt.code, problem.Errors[0].Code)
			if p, ok := tt.change["password"].(string); ok {
				require.NotContains(t, string(a.body), p, "a password never comes back")
			}
		})
	}
}

func TestRegister_disabled(t *testing.T) {
	t.Parallel()
	m := setup(t, config.Source{"REGISTRATION_ENABLED": "false"})
	m.client(t).post("/api/v1/auth/register", object{"email": "a@example.com", "password": goodPassword, "full_name": "A"}).
		refused(t, 403, "registration_disabled")
}

func TestRegister_many_at_the_same_time_with_one_address(t *testing.T) {
	t.Parallel()
	m := setup(t, config.Source{"REGISTRATION_REVEALS_ACCOUNTS": "true"})
	var made, taken atomic.Int32
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			a := m.client(t).post("/api/v1/auth/register", object{"email": "one@example.com", "password": goodPassword, "full_name": "One"})
			switch a.StatusCode {
			case 201:
				made.Add(1)
			case 409:
				taken.Add(1)
			default:
				t.Errorf("%d: %s", a.StatusCode, a.body)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, made.Load())
	require.EqualValues(t, 11, taken.Load())
	var accounts, sent int
	require.NoError(t, m.pool.QueryRow(t.Context(), "SELECT count(*) FROM accounts").Scan(&accounts))
	require.NoError(t, m.pool.QueryRow(t.Context(), "SELECT count(*) FROM outbox WHERE type = $1", api.AccountRegistered.Name).Scan(&sent))
	require.Equal(t, 1, accounts)
	require.Equal(t, 1, sent, "an event for what was made, and for nothing else")
}

func TestVerifyEmail(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)

	t.Run("an_unknown_link", func(t *testing.T) {
		t.Parallel()
		m.client(t).post("/api/v1/auth/verify-email", object{"token": "nonsense"}).refused(t, 422, "link_invalid")
	})

	t.Run("a_link_for_something_else", func(t *testing.T) {
		t.Parallel()
		id := m.register(t, "else@example.com")
		m.client(t).post("/api/v1/auth/verify-email", object{"token": m.link(t, id, api.LinkResetPassword)}).refused(t, 422, "link_invalid")
	})

	t.Run("an_expired_link", func(t *testing.T) {
		t.Parallel()
		id := m.register(t, "late@example.com")
		token := m.link(t, id, api.LinkVerifyEmail)
		_, err := m.pool.Exec(t.Context(), "UPDATE links SET expires_at = now() - interval '1 second' WHERE account_id = $1", id)
		require.NoError(t, err)
		m.client(t).post("/api/v1/auth/verify-email", object{"token": token}).refused(t, 422, "link_expired")
	})

	t.Run("once_for_two_at_the_same_time", func(t *testing.T) {
		t.Parallel()
		id := m.register(t, "twice@example.com")
		token := m.link(t, id, api.LinkVerifyEmail)
		var ok atomic.Int32
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				if m.verify(t, token).StatusCode == 204 {
					ok.Add(1)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, ok.Load())
		require.Len(t, outbox[api.AccountVerifiedData](t, m, api.AccountVerified.Name, id), 1)
	})

	t.Run("two_links_verify_once", func(t *testing.T) {
		t.Parallel()
		id := m.register(t, "both@example.com")
		first, second := m.link(t, id, api.LinkVerifyEmail), m.link(t, id, api.LinkVerifyEmail)
		m.verify(t, first).want(t, 204)
		m.verify(t, second).refused(t, 422, "link_used")
	})
}

func TestResendVerification(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	c := m.client(t)
	id := m.register(t, "ada@example.com")
	verified := m.person(t, "done@example.com")
	requested := func(account uuid.UUID) int {
		return len(outbox[api.AccountData](t, m, api.VerificationRequested.Name, account))
	}
	ask := func(email string) { c.post("/api/v1/auth/resend-verification", object{"email": email}).want(t, 202) }

	ask("ada@example.com")
	require.Zero(t, requested(id), "the first mail is a moment old")
	_, err := m.pool.Exec(t.Context(), "UPDATE accounts SET verification_requested_at = now() - interval '61 seconds'")
	require.NoError(t, err)
	ask("ADA@example.com")
	ask("ada@example.com")
	require.Equal(t, 1, requested(id), "at most once a minute")
	ask("done@example.com")
	require.Zero(t, requested(verified))
	ask("nobody@example.com")
	ask("not an address")
}
