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
