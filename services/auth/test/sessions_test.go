package test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/services/auth/api"
)

// assign gives an account one more role behind the service's back, where a test is not about assigning.
func (m *mesh) assign(t testing.TB, account uuid.UUID, role string) {
	t.Helper()
	_, err := m.pool.Exec(t.Context(), "INSERT INTO account_roles (account_id, role, assigned_by, assigned_at) VALUES ($1, $2, 'test', now())", account, role)
	require.NoError(t, err)
}

// as signs up and in somebody with a role.
func (m *mesh) as(t testing.TB, role string) (uuid.UUID, client) {
	t.Helper()
	email := role + "-" + newID()[24:] + "@example.com"
	id := m.person(t, email)
	if role != api.RoleUser {
		m.assign(t, id, role)
	}
	return id, m.client(t).with(m.client(t).login(email, goodPassword).AccessToken)
}

func TestSessions_list(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	m.person(t, "ada@example.com")
	var last api.Tokens
	for range 5 {
		last = m.client(t).login("ada@example.com", goodPassword)
	}
	c := m.client(t).with(last.AccessToken)

	first := read[api.SessionPage](t, c.get("/api/v1/auth/sessions?page_size=2").want(t, 200))
	require.EqualValues(t, 5, first.Total)
	require.Equal(t, 3, first.Pages)
	require.Len(t, first.Items, 2)
	require.True(t, first.Items[0].Current, "the latest used comes first")
	seen := map[string]bool{}
	for cursor := ""; ; {
		list := read[api.SessionPage](t, c.get("/api/v1/auth/sessions?page_size=2&cursor="+cursor).want(t, 200))
		for _, s := range list.Items {
			require.False(t, seen[s.ID])
			seen[s.ID] = true
		}
		if cursor = list.NextCursor; cursor == "" {
			break
		}
	}
	require.Len(t, seen, 5)
	second := read[api.SessionPage](t, c.get("/api/v1/auth/sessions?page=2&page_size=2").want(t, 200))
	require.True(t, seen[second.Items[0].ID])
	c.get("/api/v1/auth/sessions?cursor=nonsense").refused(t, 400, "invalid_cursor")
	c.get("/api/v1/auth/sessions?page_size=101").refused(t, 422, "validation_failed")
	c.get("/api/v1/auth/sessions?sort=ip").refused(t, 422, "validation_failed")
	m.client(t).get("/api/v1/auth/sessions").refused(t, 401, "token_missing")
}

func TestSessions_revoke(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	m.person(t, "ada@example.com")
	m.person(t, "eve@example.com")
	mine, other := m.client(t).login("ada@example.com", goodPassword), m.client(t).login("ada@example.com", goodPassword)
	eve := m.client(t).login("eve@example.com", goodPassword)
	c := m.client(t).with(mine.AccessToken)
	path := func(token string) string { return "/api/v1/auth/sessions/" + claimsOf(t, token)["sid"].(string) }

	c.delete(path(eve.AccessToken)).refused(t, 404, "session_not_found")
	c.delete("/api/v1/auth/sessions/"+newID()).refused(t, 404, "session_not_found")
	c.delete("/api/v1/auth/sessions/nonsense").refused(t, 422, "validation_failed")
	c.delete(path(other.AccessToken)).want(t, 204)
	c.delete(path(other.AccessToken)).refused(t, 404, "session_not_found")
	m.soonRefused(t, other.AccessToken)
	m.client(t).refresh(other.RefreshToken).refused(t, 401, "refresh_token_invalid")
	require.True(t, m.signedIn(t, mine.AccessToken))
	require.True(t, m.signedIn(t, eve.AccessToken))
}

func TestSessions_of_others(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	ada := m.person(t, "ada@example.com")
	first, second := m.client(t).login("ada@example.com", goodPassword), m.client(t).login("ada@example.com", goodPassword)
	_, user := m.as(t, "user")
	_, support := m.as(t, "support")
	of := "/api/v1/users/" + ada.String() + "/sessions"
	sid := claimsOf(t, first.AccessToken)["sid"].(string)

	user.get(of).refused(t, 403, "permission_denied")
	user.delete(of).refused(t, 403, "permission_denied")
	user.delete(of+"/"+sid).refused(t, 403, "permission_denied")
	m.client(t).get(of).refused(t, 401, "token_missing")

	list := read[api.SessionPage](t, support.get(of).want(t, 200))
	require.EqualValues(t, 2, list.Total)
	require.False(t, list.Items[0].Current)
	support.get("/api/v1/users/"+newID()+"/sessions").refused(t, 404, "user_not_found")
	support.delete("/api/v1/users/"+newID()+"/sessions").refused(t, 404, "user_not_found")
	support.delete("/api/v1/users/"+newID()+"/sessions/"+sid).refused(t, 404, "user_not_found")
	support.delete(of+"/"+newID()).refused(t, 404, "session_not_found")

	support.delete(of+"/"+sid).want(t, 204)
	m.soonRefused(t, first.AccessToken)
	own := m.client(t).with(second.AccessToken)
	own.get(of).want(t, 200)
	support.delete(of).want(t, 204)
	m.soonRefused(t, second.AccessToken)
	m.client(t).refresh(second.RefreshToken).refused(t, 401, "refresh_token_invalid")
}

func TestLogout(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	m.person(t, "ada@example.com")

	t.Run("needs_a_token", func(t *testing.T) {
		t.Parallel()
		m.client(t).post("/api/v1/auth/logout", nil).refused(t, 401, "token_missing")
		m.client(t).with("garbage").post("/api/v1/auth/logout", nil).refused(t, 401, "token_missing")
	})

	t.Run("takes_a_refresh_token", func(t *testing.T) {
		t.Parallel()
		tokens := m.client(t).login("ada@example.com", goodPassword)
		for range 2 {
			m.client(t).post("/api/v1/auth/logout", object{"refresh_token": tokens.RefreshToken}).want(t, 204)
		}
		m.soonRefused(t, tokens.AccessToken)
		m.client(t).post("/api/v1/auth/logout", object{"refresh_token": "nonsense"}).want(t, 204)
		unknown := "A" + tokens.RefreshToken[1:]
		m.client(t).post("/api/v1/auth/logout", object{"refresh_token": unknown}).want(t, 204)
	})

	t.Run("the_access_token_wins", func(t *testing.T) {
		t.Parallel()
		mine, other := m.client(t).login("ada@example.com", goodPassword), m.client(t).login("ada@example.com", goodPassword)
		m.client(t).with(mine.AccessToken).post("/api/v1/auth/logout", object{"refresh_token": other.RefreshToken}).want(t, 204)
		m.soonRefused(t, mine.AccessToken)
		require.True(t, m.signedIn(t, other.AccessToken))
	})

	t.Run("everywhere", func(t *testing.T) {
		t.Parallel()
		eve := m.person(t, "eve@example.com")
		a, b := m.client(t).login("eve@example.com", goodPassword), m.client(t).login("eve@example.com", goodPassword)
		m.client(t).with(a.AccessToken).post("/api/v1/auth/logout-all", nil).want(t, 204)
		m.soonRefused(t, a.AccessToken)
		m.soonRefused(t, b.AccessToken)
		m.client(t).refresh(b.RefreshToken).refused(t, 401, "refresh_token_invalid")
		require.Equal(t, 1, m.audits(t, "session.all_ended", "success", eve.String()))
		marks := outbox[api.WatermarkRaisedData](t, m, api.WatermarkRaised.Name, eve)
		require.Len(t, marks, 1)
		require.Equal(t, "user", marks[0].Scope)
		require.True(t, m.signedIn(t, m.client(t).login("eve@example.com", goodPassword).AccessToken), "signing in again works at once")
	})
	m.client(t).post("/api/v1/auth/logout-all", nil).refused(t, 401, "token_missing")
}

// Somebody who knows the password signs in as often as the limits allow. The owner changes the password all the same, and stays signed in.
func TestChangePassword_with_very_many_sessions(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	id := m.person(t, "ada@example.com")
	c := m.client(t)
	own := c.login("ada@example.com", goodPassword)
	_, err := m.pool.Exec(t.Context(), `INSERT INTO sessions (id, account_id, device, ip, user_agent, created_at, last_seen_at, issued_at, expires_at)
		SELECT gen_random_uuid(), $1, '', '', '', now(), now() - interval '1 hour', now(), now() + interval '1 hour' FROM generate_series(1, 20001)`, id)
	require.NoError(t, err)
	open := func() (n int) {
		require.NoError(t, m.pool.QueryRow(t.Context(), "SELECT count(*) FROM sessions WHERE account_id = $1 AND revoked_at IS NULL", id).Scan(&n))
		return n
	}
	c.login("ada@example.com", goodPassword)
	require.Equal(t, 20_003-32, open(), "each sign-in ends some of those beyond the limit")
	require.Equal(t, 1, m.audits(t, "session.all_ended", "success", id.String()))

	c.with(own.AccessToken).post("/api/v1/auth/password/change", object{"current_password": goodPassword, "new_password": otherPassword}).want(t, 204)
	require.Equal(t, 1, open())
	c.refresh(own.RefreshToken).want(t, 200)
}
