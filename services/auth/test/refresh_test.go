package test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/services/auth/api"
)

func TestRefresh_tabs_race(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	m.person(t, "ada@example.com")
	tokens := m.client(t).login("ada@example.com", goodPassword)

	var mu sync.Mutex
	children, access := map[string]int{}, map[string]bool{}
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			a := m.client(t).refresh(tokens.RefreshToken)
			if a.StatusCode != 200 {
				t.Errorf("%d: %s", a.StatusCode, a.body)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			next := read[api.Tokens](t, a)
			children[next.RefreshToken]++
			access[next.AccessToken] = true
		})
	}
	wg.Wait()
	require.Len(t, children, 1, "all get the same successor")
	for token := range access {
		require.True(t, m.signedIn(t, token))
	}
	for child := range children {
		m.client(t).refresh(child).want(t, 200)
	}
	var stored int
	require.NoError(t, m.pool.QueryRow(t.Context(), "SELECT count(*) FROM refresh_tokens").Scan(&stored))
	require.Equal(t, 3, stored)
}

func TestRefresh_reuse_ends_the_session(t *testing.T) {
	t.Parallel()
	m := setup(t, config.Source{"REFRESH_GRACE": "0s"})
	id := m.person(t, "ada@example.com")
	stolen := m.client(t).login("ada@example.com", goodPassword)
	other := m.client(t).login("ada@example.com", goodPassword)
	next := read[api.Tokens](t, m.client(t).refresh(stolen.RefreshToken).want(t, 200))
	require.True(t, m.signedIn(t, next.AccessToken))

	thief := m.client(t)
	thief.ip, thief.agent = "198.51.100.66", "curl/8.0"
	thief.refresh(stolen.RefreshToken).refused(t, 401, "refresh_token_reused")
	m.soonRefused(t, next.AccessToken)
	m.client(t).refresh(next.RefreshToken).refused(t, 401, "refresh_token_invalid")
	thief.refresh(stolen.RefreshToken).refused(t, 401, "refresh_token_invalid")
	require.True(t, m.signedIn(t, other.AccessToken), "other sessions stay")

	told := outbox[api.SessionCompromisedData](t, m, api.SessionCompromised.Name, id)
	require.Len(t, told, 1)
	require.Equal(t, claimsOf(t, next.AccessToken)["sid"], told[0].SessionID.String())
	require.Equal(t, "198.51.100.66", told[0].IP)
	require.Equal(t, "curl", told[0].Device)
	require.Equal(t, 1, m.audits(t, "session.compromised", "success", id.String()))
}

// shift makes the past of a session longer: everything of it happened so much earlier.
func (m *mesh) shift(t testing.TB, token string, d time.Duration) {
	t.Helper()
	session := claimsOf(t, token)["sid"]
	for _, statement := range []string{
		"UPDATE refresh_tokens SET used_at = used_at - $2::interval, expires_at = expires_at - $2::interval WHERE session_id = $1",
		"UPDATE sessions SET created_at = created_at - $2::interval, expires_at = expires_at - $2::interval WHERE id = $1",
	} {
		_, err := m.pool.Exec(t.Context(), statement, session, d)
		require.NoError(t, err)
	}
}

// An answer that is lost signs nobody out: whoever asks again within the grace gets the same successor, as long as nobody used it.
func TestRefresh_after_a_lost_answer(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	id := m.person(t, "ada@example.com")
	first := m.client(t).login("ada@example.com", goodPassword)
	lost := read[api.Tokens](t, m.client(t).refresh(first.RefreshToken).want(t, 200))
	m.shift(t, first.AccessToken, 30*time.Second)
	again := read[api.Tokens](t, m.client(t).refresh(first.RefreshToken).want(t, 200))
	require.Equal(t, lost.RefreshToken, again.RefreshToken)
	m.client(t).refresh(again.RefreshToken).want(t, 200)
	require.Zero(t, m.audits(t, "session.compromised", "success", id.String()))
}

// Whoever presents the parent of a successor that was used is another holder, also within the grace.
func TestRefresh_of_a_used_successors_parent_is_reuse(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	id := m.person(t, "ada@example.com")
	parent := m.client(t).login("ada@example.com", goodPassword)
	child := read[api.Tokens](t, m.client(t).refresh(parent.RefreshToken).want(t, 200))
	grandchild := read[api.Tokens](t, m.client(t).refresh(child.RefreshToken).want(t, 200))

	m.client(t).refresh(parent.RefreshToken).refused(t, 401, "refresh_token_reused")
	for _, token := range []string{parent.RefreshToken, child.RefreshToken, grandchild.RefreshToken} {
		m.client(t).refresh(token).refused(t, 401, "refresh_token_invalid")
	}
	m.soonRefused(t, grandchild.AccessToken)
	require.Equal(t, 1, m.audits(t, "session.compromised", "success", id.String()))
}

// One tab uses the successor while another still presents the parent, both at once, again and again: one line of tokens or none.
func TestRefresh_of_parent_and_successor_at_once(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	m.person(t, "ada@example.com")
	for range 5 {
		parent := m.client(t).login("ada@example.com", goodPassword)
		child := read[api.Tokens](t, m.client(t).refresh(parent.RefreshToken).want(t, 200))
		var wg sync.WaitGroup
		for _, token := range []string{parent.RefreshToken, child.RefreshToken, parent.RefreshToken, child.RefreshToken} {
			wg.Go(func() {
				if a := m.client(t).refresh(token); a.StatusCode != 200 && a.StatusCode != 401 {
					t.Errorf("%d: %s", a.StatusCode, a.body)
				}
			})
		}
		wg.Wait()
		var unused int
		require.NoError(t, m.pool.QueryRow(t.Context(), `SELECT count(*) FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id
			WHERE s.id = $1 AND s.revoked_at IS NULL AND t.used_at IS NULL`, claimsOf(t, parent.AccessToken)["sid"]).Scan(&unused))
		require.LessOrEqual(t, unused, 1)
	}
}

// However much a session is used, it ends with its lifetime, and so does every token of it.
func TestRefresh_ends_with_the_lifetime_of_the_session(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	m.person(t, "ada@example.com")
	c := m.client(t)
	tokens := c.login("ada@example.com", goodPassword)
	require.Equal(t, 30*24*60*60, tokens.RefreshExpiresIn)

	const day = 24 * time.Hour
	for range 3 { // idle for 29 days, three times: 87
		m.shift(t, tokens.AccessToken, 29*day)
		tokens = read[api.Tokens](t, c.refresh(tokens.RefreshToken).want(t, 200))
	}
	require.InDelta(t, (3 * day).Seconds(), tokens.RefreshExpiresIn, 60)
	shown := read[api.SessionPage](t, c.with(tokens.AccessToken).get("/api/v1/auth/sessions").want(t, 200)).Items[0]
	require.WithinDuration(t, time.Now().Add(3*day), shown.ExpiresAt, time.Minute)

	m.shift(t, tokens.AccessToken, 3*day-5*time.Minute)
	tokens = read[api.Tokens](t, c.refresh(tokens.RefreshToken).want(t, 200))
	require.InDelta(t, (5 * time.Minute).Seconds(), tokens.ExpiresIn, 60, "the access token ends with the session, too")
	require.InDelta(t, tokens.ExpiresIn, tokens.RefreshExpiresIn, 1)
	exp := time.Unix(int64(claimsOf(t, tokens.AccessToken)["exp"].(float64)), 0)
	require.WithinDuration(t, time.Now().Add(5*time.Minute), exp, time.Minute)

	m.shift(t, tokens.AccessToken, 6*time.Minute)
	c.refresh(tokens.RefreshToken).refused(t, 401, "refresh_token_invalid")
}

// A lifetime that is configured shorter holds for sessions that began before, also where they are listed.
func TestSessions_beyond_a_shorter_lifetime_are_over(t *testing.T) {
	t.Parallel()
	m := setup(t, config.Source{"SESSION_MAX_AGE": "1h"})
	id := m.person(t, "ada@example.com")
	old, now := m.client(t).login("ada@example.com", goodPassword), m.client(t).login("ada@example.com", goodPassword)
	require.Equal(t, 60*60, now.RefreshExpiresIn)
	_, err := m.pool.Exec(t.Context(), `UPDATE sessions SET created_at = now() - interval '1 hour', expires_at = now() + interval '20 days'
		WHERE id = $1 AND account_id = $2`, claimsOf(t, old.AccessToken)["sid"], id)
	require.NoError(t, err)
	m.client(t).refresh(old.RefreshToken).refused(t, 401, "refresh_token_invalid")
	require.Len(t, read[api.SessionPage](t, m.client(t).with(now.AccessToken).get("/api/v1/auth/sessions").want(t, 200)).Items, 1)
}

func TestRefresh_refuses(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	sql := func(t *testing.T, statement string, args ...any) {
		t.Helper()
		_, err := m.pool.Exec(t.Context(), statement, args...)
		require.NoError(t, err)
	}
	for name, spoil := range map[string]func(t *testing.T, account uuid.UUID){
		"an_expired_token": func(t *testing.T, id uuid.UUID) {
			sql(t, "UPDATE refresh_tokens SET expires_at = now() WHERE session_id IN (SELECT id FROM sessions WHERE account_id = $1)", id)
		},
		"an_expired_session": func(t *testing.T, id uuid.UUID) {
			sql(t, "UPDATE sessions SET expires_at = now() WHERE account_id = $1", id)
		},
		"a_disabled_account":  func(t *testing.T, id uuid.UUID) { sql(t, "UPDATE accounts SET status = 'disabled' WHERE id = $1", id) },
		"a_forgotten_session": func(t *testing.T, id uuid.UUID) { sql(t, "DELETE FROM sessions WHERE account_id = $1", id) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := m.person(t, name+"@example.com")
			tokens := m.client(t).login(name+"@example.com", goodPassword)
			spoil(t, id)
			m.client(t).refresh(tokens.RefreshToken).refused(t, 401, "refresh_token_invalid")
		})
	}
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		m.client(t).post("/api/v1/auth/refresh", nil).refused(t, 401, "refresh_token_invalid")
	})
	t.Run("an_access_token", func(t *testing.T) {
		t.Parallel()
		m.person(t, "mix@example.com")
		m.client(t).refresh(m.client(t).login("mix@example.com", goodPassword).AccessToken[:500]).refused(t, 401, "refresh_token_invalid")
	})
}

func TestRefresh_takes_new_roles(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	id := m.person(t, "ada@example.com")
	tokens := m.client(t).login("ada@example.com", goodPassword)
	require.Empty(t, scopeOf(t, tokens.AccessToken))
	m.assign(t, id, "support")
	next := read[api.Tokens](t, m.client(t).refresh(tokens.RefreshToken).want(t, 200))
	require.Contains(t, scopeOf(t, next.AccessToken), "sessions:read")
	require.Equal(t, []any{"support", "user"}, claimsOf(t, next.AccessToken)["roles"])
}

// A token that is issued right after everything was revoked is good: its instant is not before the revocation, whatever the clock says.
func TestRefresh_after_a_watermark_from_the_future(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	id := m.person(t, "ada@example.com")
	tokens := m.client(t).login("ada@example.com", goodPassword)
	_, err := m.pool.Exec(t.Context(), "INSERT INTO watermarks (scope, id, not_before, expires_at) VALUES ('user', $1, now() + interval '2 seconds', now() + interval '1 hour')", id)
	require.NoError(t, err)
	m.soonRefused(t, tokens.AccessToken)
	next := read[api.Tokens](t, m.client(t).refresh(tokens.RefreshToken).want(t, 200))
	require.True(t, m.signedIn(t, next.AccessToken))
	require.True(t, m.signedIn(t, m.client(t).login("ada@example.com", goodPassword).AccessToken))
}

func TestRefresh_keeps_a_session_alive(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	id := m.person(t, "ada@example.com")
	tokens := m.client(t).login("ada@example.com", goodPassword)
	_, err := m.pool.Exec(t.Context(), "UPDATE sessions SET expires_at = now() + interval '1 minute', last_seen_at = now() - interval '1 day' WHERE account_id = $1", id)
	require.NoError(t, err)
	c := m.client(t)
	c.ip = "192.0.2.50"
	next := read[api.Tokens](t, c.refresh(tokens.RefreshToken).want(t, 200))
	list := read[api.SessionPage](t, c.with(next.AccessToken).get("/api/v1/auth/sessions").want(t, 200))
	require.Equal(t, "192.0.2.50", list.Items[0].IP)
	require.WithinDuration(t, time.Now(), list.Items[0].LastSeenAt, time.Minute)
	require.WithinDuration(t, time.Now().Add(30*24*time.Hour), list.Items[0].ExpiresAt, time.Minute)
}
