package test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// provedAt is when the person of the token's session last proved to be there.
func (m *mesh) provedAt(t testing.TB, token string) (at *time.Time) {
	t.Helper()
	session := claimsOf(t, token)["sid"]
	require.NoError(t, m.pool.QueryRow(t.Context(), "SELECT authenticated_at FROM sessions WHERE id = $1", session).Scan(&at))
	return at
}

func TestReauthenticate(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	id := m.person(t, "ada@example.com")
	tokens, other := m.client(t).login("ada@example.com", goodPassword), m.client(t).login("ada@example.com", goodPassword)
	c := m.client(t).with(tokens.AccessToken)
	prove := func(password string) answer {
		return c.post("/api/v1/auth/reauthenticate", object{"password": password})
	}

	m.client(t).post("/api/v1/auth/reauthenticate", object{"password": goodPassword}).refused(t, 401, "token_missing")
	prove("").refused(t, 422, "validation_failed")
	prove("wrong").refused(t, 403, "wrong_password")
	require.Nil(t, m.provedAt(t, tokens.AccessToken))
	require.Equal(t, 1, m.audits(t, "session.reauthenticated", "failure", id.String()))

	before := time.Now().Add(-time.Second)
	prove(goodPassword).want(t, 204)
	require.True(t, m.provedAt(t, tokens.AccessToken).After(before))
	require.Nil(t, m.provedAt(t, other.AccessToken), "another session proves nothing by it")
	require.Equal(t, 1, m.audits(t, "session.reauthenticated", "success", id.String()))
}

func TestReauthenticate_slows_down(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	m.person(t, "ada@example.com")
	c := m.client(t).with(m.client(t).login("ada@example.com", goodPassword).AccessToken)
	for range 5 {
		c.post("/api/v1/auth/reauthenticate", object{"password": "wrong"}).refused(t, 403, "wrong_password")
	}
	c.post("/api/v1/auth/reauthenticate", object{"password": goodPassword}).refused(t, 429, "too_many_attempts")
}

// An account that has no password any more, since its owner disowned whoever had set it, is not proved by any.
func TestReauthenticate_without_a_password(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	id := m.person(t, "ada@example.com")
	c := m.client(t).with(m.client(t).login("ada@example.com", goodPassword).AccessToken)
	_, err := m.pool.Exec(t.Context(), "DELETE FROM passwords WHERE account_id = $1", id)
	require.NoError(t, err)
	c.post("/api/v1/auth/reauthenticate", object{"password": goodPassword}).refused(t, 403, "wrong_password")
}

// Whoever changes the password has proved to know it.
func TestChangePassword_is_a_proof(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	m.person(t, "ada@example.com")
	tokens := m.client(t).login("ada@example.com", goodPassword)
	require.NotEqual(t, uuid.Nil.String(), claimsOf(t, tokens.AccessToken)["sid"])
	m.client(t).with(tokens.AccessToken).post("/api/v1/auth/password/change", object{
		"current_password": goodPassword, "new_password": otherPassword,
	}).want(t, 204)
	require.NotNil(t, m.provedAt(t, tokens.AccessToken))
}

// The access token of a session that has ended is good for some minutes more where nobody has heard of it: it proves nothing any more.
func TestReauthenticate_in_a_session_that_has_ended(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	m.person(t, "ada@example.com")
	tokens := m.client(t).login("ada@example.com", goodPassword)
	_, err := m.pool.Exec(t.Context(), "UPDATE sessions SET expires_at = now()")
	require.NoError(t, err)
	m.client(t).with(tokens.AccessToken).post("/api/v1/auth/reauthenticate", object{"password": goodPassword}).refused(t, 401, "token_revoked")
	require.Nil(t, m.provedAt(t, tokens.AccessToken))
}
