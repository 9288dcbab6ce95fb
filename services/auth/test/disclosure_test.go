package test

import (
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/services/auth/api"
)

const signUpPath = "/api/v1/auth/register"

// looks are what a stranger sees of an answer, without what differs from request to request.
func looks(t *testing.T, a answer) object {
	t.Helper()
	header := a.Header.Clone()
	for _, name := range []string{"Date", "X-Request-Id"} {
		header.Del(name)
	}
	cookies := a.Cookies()
	header.Del("Set-Cookie")
	out := object{"status": a.StatusCode, "header": header, "body": string(a.body)}
	for _, c := range cookies {
		require.Len(t, c.Value, 26)
		c.Value, c.Raw = "", ""
		out["cookie "+c.Name] = *c
	}
	return out
}

// Signing up with an address that is new, that somebody has, that somebody has not verified yet, and that a disabled or deleted account has are
// one.
func TestRegister_tells_nothing(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	m.person(t, "grace@example.com")
	m.register(t, "waits@example.com")
	for email, status := range map[string]string{"off@example.com": "disabled", "gone@example.com": "deleted"} {
		_, err := m.pool.Exec(t.Context(), "UPDATE accounts SET status = $2 WHERE id = $1", m.person(t, email), status)
		require.NoError(t, err)
	}
	sign := func(email string) object {
		a := m.client(t).post(signUpPath, object{"email": email, "password": otherPassword, "full_name": "Eve"}).want(t, 202)
		require.Equal(t, email, read[api.SignedUp](t, a).Email, "what was asked for decides alone what is answered")
		out := looks(t, a)
		require.Contains(t, out, "cookie "+api.CookieSignUp)
		out["body"], out["header"].(http.Header)["Content-Length"] = "", nil
		return out
	}
	fresh := sign("fresh@example.com")
	for _, taken := range []string{"grace@example.com", "waits@example.com", "off@example.com", "gone@example.com", "GRACE@example.com", "fresh@example.com"} {
		require.Equal(t, fresh, sign(taken), taken)
	}

	t.Run("nor_does_signing_in_with_the_password", func(t *testing.T) {
		t.Parallel()
		in := func(email string) object {
			a := m.client(t).post("/api/v1/auth/login", object{"email": email, "password": otherPassword}).refused(t, 401, "invalid_credentials")
			problem := read[object](t, a)
			delete(problem, "request_id")
			return problem
		}
		want := in("fresh@example.com")
		for _, other := range []string{"grace@example.com", "waits@example.com", "off@example.com", "gone@example.com", "nobody@example.com"} {
			require.Equal(t, want, in(other), other)
		}
	})

	t.Run("nor_does_being_refused_for_the_password", func(t *testing.T) {
		t.Parallel()
		for _, email := range []string{"grace@example.com", "other@example.com"} {
			m.client(t).post(signUpPath, object{"email": email, "password": "password1234", "full_name": "Eve"}).refused(t, 422, "validation_failed")
		}
	})

	t.Run("nor_do_mails_that_are_asked_for", func(t *testing.T) {
		t.Parallel()
		for _, path := range []string{"/api/v1/auth/resend-verification", "/api/v1/auth/password/forgot"} {
			want := looks(t, m.client(t).post(path, object{"email": "nobody@example.com"}).want(t, 202))
			for _, email := range []string{"grace@example.com", "waits@example.com", "off@example.com", "gone@example.com", "fresh@example.com"} {
				require.Equal(t, want, looks(t, m.client(t).post(path, object{"email": email}).want(t, 202)), path)
			}
		}
	})
}

func TestRegister_tells_the_owner(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	grace := m.person(t, "grace@example.com")
	waits := m.register(t, "waits@example.com")
	eve := func(email string) {
		m.client(t).post(signUpPath, object{"email": email, "password": otherPassword, "full_name": "Eve"}).want(t, 202)
	}
	eve("grace@example.com")
	eve("GRACE@example.com")
	told := outbox[api.RegistrationAttemptedData](t, m, api.RegistrationAttempted.Name, grace)
	require.Len(t, told, 1, "at most once a minute")
	require.Equal(t, "203.0.113.7", told[0].IP)
	require.Equal(t, "Firefox on Linux", told[0].Device)
	require.Equal(t, 1, m.audits(t, "registration.attempted", "success", grace.String()))
	require.Len(t, outbox[api.AccountRegisteredData](t, m, api.AccountRegistered.Name, grace), 1)
	m.client(t).login("grace@example.com", goodPassword)

	eve("waits@example.com")
	require.Empty(t, outbox[api.AccountData](t, m, api.VerificationRequested.Name, waits), "the first mail is a moment old")
	_, err := m.pool.Exec(t.Context(), "UPDATE accounts SET verification_requested_at = now() - interval '61 seconds'")
	require.NoError(t, err)
	eve("waits@example.com")
	require.Len(t, outbox[api.AccountData](t, m, api.VerificationRequested.Name, waits), 1)
	require.Empty(t, outbox[api.RegistrationAttemptedData](t, m, api.RegistrationAttempted.Name, waits))

	for _, status := range []string{"disabled", "deleted"} {
		email := status + "@example.com"
		out := m.person(t, email)
		_, err := m.pool.Exec(t.Context(), "UPDATE accounts SET status = $2 WHERE id = $1", out, status)
		require.NoError(t, err)
		eve(email)
		told := outbox[api.RegistrationAttemptedData](t, m, api.RegistrationAttempted.Name, out)
		require.Len(t, told, 1, "%s: the owner does not wait in vain", status)
		require.True(t, told[0].Closed)
		var causes int
		require.NoError(t, m.pool.QueryRow(t.Context(), "SELECT count(*) FROM link_causes WHERE account_id = $1 AND purpose = 'reset_password'", out).Scan(&causes))
		require.Zero(t, causes, "no link opens it")
		_, err = m.pool.Exec(t.Context(), "UPDATE accounts SET reset_requested_at = NULL")
		require.NoError(t, err)
		eve(email)
		require.Len(t, outbox[api.RegistrationAttemptedData](t, m, api.RegistrationAttempted.Name, out), 1, "%s: one network has its share of a mailbox", status)
		m.client(t).post("/api/v1/auth/password/forgot", object{"email": email}).want(t, 202)
		require.Empty(t, outbox[api.AccountData](t, m, api.PasswordResetRequested.Name, out))
	}
}

func TestRegister_reveals(t *testing.T) {
	t.Parallel()
	m := setup(t, config.Source{"REGISTRATION_REVEALS_ACCOUNTS": "true"})
	good := object{"email": "Grace@example.com", "password": goodPassword, "full_name": "Grace Hopper"}
	a := m.client(t).post(signUpPath, good).want(t, 201)
	made := read[api.SignedUp](t, a)
	require.Equal(t, m.idOf(t, "grace@example.com").String(), made.ID)
	require.Equal(t, "/api/v1/users/"+made.ID, a.Header.Get("Location"))
	require.Equal(t, "Grace@example.com", made.Email)
	require.Equal(t, "Grace Hopper", made.FullName)
	require.NotNil(t, made.CreatedAt)
	require.NotContains(t, string(a.body), goodPassword)
	m.client(t).post(signUpPath, good).refused(t, 409, "email_taken")
	m.client(t).post("/api/v1/auth/login", object{"email": "grace@example.com", "password": goodPassword}).refused(t, 403, "email_not_verified")
	require.Empty(t, outbox[api.RegistrationAttemptedData](t, m, api.RegistrationAttempted.Name, uuid.MustParse(made.ID)))
}

func TestRegister_many_at_the_same_time_tell_nothing(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	statuses := make(chan int, 12)
	var wg sync.WaitGroup
	for range cap(statuses) {
		wg.Go(func() {
			statuses <- m.client(t).post(signUpPath, object{"email": "one@example.com", "password": goodPassword, "full_name": "One"}).StatusCode
		})
	}
	wg.Wait()
	close(statuses)
	for status := range statuses {
		require.Equal(t, 202, status)
	}
	id := m.idOf(t, "one@example.com")
	require.Len(t, outbox[api.AccountRegisteredData](t, m, api.AccountRegistered.Name, id), 1)
	require.Empty(t, outbox[api.AccountData](t, m, api.VerificationRequested.Name, id), "one mail")
}

// Mails that strangers can ask for are counted for the mailbox, whatever kind and whatever account.
func TestMailboxHasEnough(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	again := func() {
		_, err := m.pool.Exec(t.Context(), "UPDATE accounts SET verification_requested_at = NULL, reset_requested_at = NULL")
		require.NoError(t, err)
	}
	ada := m.person(t, "ada@example.com")        // 1
	plus := m.register(t, "ada+two@example.com") // 2, and the half of one network
	forgotten := object{"email": "ada@example.com"}
	m.client(t).post("/api/v1/auth/password/forgot", forgotten).want(t, 202)
	require.Empty(t, outbox[api.AccountData](t, m, api.PasswordResetRequested.Name, ada))
	again()
	elsewhere, third := m.client(t).at("198.51.100.7"), m.client(t).at("192.0.2.7")
	elsewhere.post("/api/v1/auth/password/forgot", forgotten).want(t, 202) // 3
	taken := object{"email": "ada@example.com", "password": otherPassword, "full_name": "E"}
	elsewhere.post(signUpPath, taken).want(t, 202) // within the minute
	again()
	elsewhere.post(signUpPath, taken).want(t, 202) // 4
	again()
	for _, ask := range []struct {
		path string
		body object
	}{
		{"/api/v1/auth/password/forgot", object{"email": "ada@example.com"}},
		{"/api/v1/auth/resend-verification", object{"email": "ada+two@example.com"}},
		{signUpPath, object{"email": "ada@example.com", "password": otherPassword, "full_name": "E"}},
		{signUpPath, object{"email": "ada+two@example.com", "password": otherPassword, "full_name": "E"}},
		{signUpPath, object{"email": "ada+three@example.com", "password": otherPassword, "full_name": "E"}},
	} {
		again()
		third.post(ask.path, ask.body).want(t, 202)
	}
	require.Len(t, outbox[api.AccountData](t, m, api.PasswordResetRequested.Name, ada), 1)
	require.Len(t, outbox[api.RegistrationAttemptedData](t, m, api.RegistrationAttempted.Name, ada), 1)
	require.Empty(t, outbox[api.AccountData](t, m, api.VerificationRequested.Name, plus))
	three := m.idOf(t, "ada+three@example.com")
	made := outbox[api.AccountRegisteredData](t, m, api.AccountRegistered.Name, three)
	require.Len(t, made, 1)
	require.True(t, made[0].Unmailed, "the account is there, and no mail of it")
	var held int
	require.NoError(t, m.pool.QueryRow(t.Context(), "SELECT count(*) FROM audit_log WHERE action = 'mail.held_back'").Scan(&held))
	require.Equal(t, 1, held)

	t.Run("an_administrator_is_told", func(t *testing.T) {
		t.Parallel()
		refused := m.invite(t, "ada+four@example.com")
		require.Equal(t, "mailbox_full", refused.Code)
		require.Positive(t, refused.RetryAfter)
	})

	t.Run("this_was_not_me_is_mailed_in_any_case", func(t *testing.T) {
		t.Parallel()
		m.client(t).post("/api/v1/auth/not-me", object{"token": m.link(t, ada, api.LinkNotMe)}).want(t, 204)
		require.Len(t, outbox[api.AccountData](t, m, api.PasswordResetRequested.Name, ada), 2)
	})
}

// What is refused is what was tried: not everybody who gives a password wants to sign in.
func TestThrottledProofsAreAudited(t *testing.T) {
	t.Parallel()
	for action, try := range map[string]func(t *testing.T, m *mesh, id uuid.UUID) func(password string) answer{
		"session.start_throttled": func(t *testing.T, m *mesh, _ uuid.UUID) func(string) answer {
			t.Helper()
			c := m.client(t)
			return func(password string) answer {
				return c.post("/api/v1/auth/login", object{"email": "ada@example.com", "password": password})
			}
		},
		"session.reauthentication_throttled": func(t *testing.T, m *mesh, id uuid.UUID) func(string) answer {
			t.Helper()
			c := m.verified(t, id)
			return func(password string) answer {
				return c.post("/api/v1/auth/reauthenticate", object{"password": password})
			}
		},
		"password.change_throttled": func(t *testing.T, m *mesh, id uuid.UUID) func(string) answer {
			t.Helper()
			c := m.verified(t, id)
			return func(password string) answer {
				return c.post("/api/v1/auth/password/change", object{"current_password": password, "new_password": otherPassword})
			}
		},
		"account.verification_throttled": func(t *testing.T, m *mesh, id uuid.UUID) func(string) answer {
			t.Helper()
			token := m.link(t, id, api.LinkVerifyEmail)
			return func(password string) answer {
				return m.client(t).post("/api/v1/auth/verify-email", object{"token": token, "password": password})
			}
		},
	} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			m := setup(t, nil)
			id := m.register(t, "ada@example.com")
			give := try(t, m, id)
			for range 5 {
				require.Contains(t, []int{401, 403}, give("wrong").StatusCode)
			}
			give("wrong").refused(t, 429, "too_many_attempts")
			rows, err := m.pool.Query(t.Context(), "SELECT action FROM audit_log WHERE action LIKE '%throttled' AND subject = $1 AND outcome = 'failure'", id)
			require.NoError(t, err)
			got, err := pgx.CollectRows(rows, pgx.RowTo[string])
			require.NoError(t, err)
			require.Equal(t, []string{action}, got)
		})
	}
}

// verified is a client of somebody who proves the address and signs in.
func (m *mesh) verified(t *testing.T, id uuid.UUID) client {
	t.Helper()
	m.verify(t, m.link(t, id, api.LinkVerifyEmail)).want(t, 204)
	return m.client(t).with(m.client(t).login("ada@example.com", goodPassword).AccessToken)
}

// A flood of attempts that are refused is one entry for each source, with the source.
func TestThrottledSignInsAreAudited(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	id := m.person(t, "ada@example.com")
	sources := []string{"198.51.100.7", "198.51.100.8"}
	for _, ip := range sources {
		c := m.client(t)
		c.ip = ip
		for range 5 {
			c.post("/api/v1/auth/login", object{"email": "ada@example.com", "password": "wrong"}).refused(t, 401, "invalid_credentials")
		}
		for range 6 {
			c.post("/api/v1/auth/login", object{"email": "ada@example.com", "password": goodPassword}).refused(t, 429, "too_many_attempts")
		}
	}
	rows, err := m.pool.Query(t.Context(), "SELECT ip, device, request_id, details->>'blocked' FROM audit_log WHERE action = 'session.start_throttled' AND subject = $1", id.String())
	require.NoError(t, err)
	defer rows.Close()
	var seen []string
	for rows.Next() {
		var ip, device, request, blocked string
		require.NoError(t, rows.Scan(&ip, &device, &request, &blocked))
		require.Equal(t, "Firefox on Linux", device)
		require.NotEmpty(t, request)
		require.Equal(t, "pair", blocked)
		seen = append(seen, ip)
	}
	require.NoError(t, rows.Err())
	slices.Sort(seen)
	require.Equal(t, sources, seen)
}

// With the right password, who has not proved the address is slowed down as with a wrong one: a stranger who signs up with an address would
// see by it whether there was an account. It is not in the way of the owner of the mailbox, who may sign in at once after using a link.
func TestSignInBeforeTheProof(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	m.person(t, "taken@example.com")
	tried := func(t *testing.T, email, ip string) (statuses []int) {
		t.Helper()
		m.client(t).post(signUpPath, object{"email": email, "password": otherPassword, "full_name": "Eve"}).want(t, 202)
		c := m.client(t)
		c.ip = ip
		for range 7 {
			statuses = append(statuses, c.post("/api/v1/auth/login", object{"email": email, "password": otherPassword}).StatusCode)
		}
		return statuses
	}
	want := []int{401, 401, 401, 401, 401, 429, 429}
	require.Equal(t, want, tried(t, "taken@example.com", "198.51.100.1"))
	for name, proof := range map[string]struct {
		ip      string // each their own, since an address that fails for many accounts is slowed down as well
		purpose api.LinkPurpose
		path    string
		body    object
	}{
		"with_the_password":  {"198.51.100.2", api.LinkVerifyEmail, "/api/v1/auth/verify-email", object{"password": otherPassword}},
		"with_another":       {"198.51.100.3", api.LinkVerifyEmail, "/api/v1/auth/verify-email", object{"new_password": goodPassword}},
		"by_a_reset":         {"198.51.100.4", api.LinkResetPassword, "/api/v1/auth/password/reset", object{"password": goodPassword}},
		"with_a_wrong_first": {"198.51.100.5", api.LinkVerifyEmail, "/api/v1/auth/verify-email", object{"password": otherPassword}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			email := name + "@example.com"
			require.Equal(t, want, tried(t, email, proof.ip))
			c := m.client(t)
			c.ip = proof.ip
			proof.body["token"] = m.link(t, m.idOf(t, email), proof.purpose)
			if name == "with_a_wrong_first" {
				for range 4 {
					c.post(proof.path, object{"token": proof.body["token"], "password": "wrong"}).refused(t, 403, "wrong_password")
				}
			}
			c.post(proof.path, proof.body).want(t, 204)
			password := otherPassword
			if proof.body["password"] != otherPassword {
				password = goodPassword
			}
			c.post("/api/v1/auth/login", object{"email": email, "password": password}).want(t, 200)
		})
	}
}
