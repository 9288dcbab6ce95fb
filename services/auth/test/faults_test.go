package test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
	"github.com/atrium-mesh/atrium/pkg/service/servicetest"
	"github.com/atrium-mesh/atrium/services/auth"
	"github.com/atrium-mesh/atrium/services/auth/api"
)

// The database goes away and comes back: requests are answered 503 with Retry-After meanwhile, nothing crashes, nothing has to be done.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	server := pgtest.StartServer(t)
	m := setupWith(t, nil, servicetest.Options{DatabaseURL: server.URL("auth")})
	m.person(t, "ada@example.com")
	tokens := m.client(t).login("ada@example.com", goodPassword)

	server.Stop()
	c := m.client(t)
	for path, body := range map[string]object{
		"/api/v1/auth/login":           {"email": "ada@example.com", "password": goodPassword},
		"/api/v1/auth/register":        {"email": "eve@example.com", "password": goodPassword, "full_name": "Eve"},
		"/api/v1/auth/refresh":         {"refresh_token": tokens.RefreshToken},
		"/api/v1/auth/password/forgot": {"email": "ada@example.com"},
	} {
		a := c.post(path, body).want(t, http.StatusServiceUnavailable)
		require.NotEmpty(t, a.Header.Get("Retry-After"), path)
		require.NotContains(t, string(a.body), "connect")
	}
	c.get("/.well-known/jwks.json").want(t, 200)
	m.WaitUnready(t, "postgres")

	server.Start()
	m.WaitReady(t)
	next := read[api.Tokens](t, m.client(t).refresh(tokens.RefreshToken).want(t, 200))
	require.True(t, m.signedIn(t, next.AccessToken))
	m.client(t).login("ada@example.com", goodPassword)
	m.client(t).post("/api/v1/auth/register", object{"email": "eve@example.com", "password": goodPassword, "full_name": "Eve"}).want(t, 202)
}

// NATS goes away and comes back: signing up and in goes on, and the events of that time arrive afterwards.
func TestNATSAway(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	m.Server.Stop()
	m.WaitUnready(t, "nats")
	m.client(t).post("/api/v1/auth/register", object{"email": "ada@example.com", "password": goodPassword, "full_name": "Ada"}).want(t, 202)
	m.Server.Start()
	m.WaitReady(t)
	require.Eventually(t, func() bool {
		var waiting int
		err := m.pool.QueryRow(t.Context(), "SELECT count(*) FROM outbox WHERE published_at IS NULL").Scan(&waiting)
		return err == nil && waiting == 0
	}, 20*time.Second, 50*time.Millisecond)
}

// Two replicas on one database: tokens of one are taken by the other, and so are its revocations; a refresh token is rotated once.
func TestReplicas(t *testing.T) {
	t.Parallel()
	a := setup(t, nil)
	b := setupWith(t, config.Source{"SMTP_URL": a.smtp.URL()}, servicetest.Options{ // either of them sends the mail
		DatabaseURL: a.DatabaseURL,
		NATS:        a.Server,
		Issuer:      a.Issuer,
	})
	a.person(t, "ada@example.com")
	tokens := a.client(t).login("ada@example.com", goodPassword)
	require.True(t, b.signedIn(t, tokens.AccessToken))

	var mu sync.Mutex
	children := map[string]bool{}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			answer := []*mesh{a, b}[i%2].client(t).refresh(tokens.RefreshToken)
			mu.Lock()
			defer mu.Unlock()
			if answer.StatusCode != http.StatusOK {
				t.Errorf("%d: %s", answer.StatusCode, answer.body)
				return
			}
			children[read[api.Tokens](t, answer).RefreshToken] = true
		})
	}
	wg.Wait()
	require.Len(t, children, 1)

	start := time.Now()
	a.client(t).with(tokens.AccessToken).post("/api/v1/auth/logout", nil).want(t, 204)
	b.soonRefused(t, tokens.AccessToken)
	t.Logf("refused by the other replica %s after signing out began", time.Since(start).Round(time.Millisecond))
	require.Less(t, time.Since(start), 5*time.Second)
}

func TestConfigurationIsChecked(t *testing.T) {
	t.Parallel()
	err := auth.Service().Check(map[string]string{"ACCESS_TOKEN_TTL": "1s", "SECRET_KEY": "short", "ADMIN_EMAIL": "root@example.com", "ADMIN_PASSWORD": "password1234"})
	for _, variable := range []string{"ACCESS_TOKEN_TTL", "SECRET_KEY", "DATABASE_URL", "ADMIN_PASSWORD"} {
		require.ErrorContains(t, err, variable)
	}
	require.NotContains(t, err.Error(), "password1234")
}
