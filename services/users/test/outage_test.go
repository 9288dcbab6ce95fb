package test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
	"github.com/atrium-mesh/atrium/pkg/service/servicetest"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/users/api"
)

func TestNATSAwayIs503AndComesBack(t *testing.T) {
	t.Parallel()
	m := setup(t)
	id := m.register("Ada", "ada@example.com")
	m.Server.Stop()
	m.WaitUnready(t, "nats")
	require.Equal(t, "Ada", m.must(m.as(id), id).Body.FullName, "reads need no NATS")
	_, err := op.HTTPClient(m.http, api.CreateUser)(m.admin(), &api.CreateUserRequest{Body: api.NewUser{Email: "b@example.com", FullName: "B"}})
	require.ErrorIs(t, err, errs.Unavailable)
	require.Positive(t, errs.From(err).RetryAfter)
	for _, o := range []op.Op[api.UserActionRequest, api.UserResponse]{api.DeactivateUser, api.ActivateUser} {
		_, err = op.HTTPClient(m.http, o)(m.admin(), &api.UserActionRequest{ID: id.String()})
		require.ErrorIs(t, err, errs.Unavailable)
		require.Positive(t, errs.From(err).RetryAfter)
	}
	_, err = op.HTTPClient(m.http, api.DeleteUser)(m.admin(), &api.UserActionRequest{ID: id.String()})
	require.ErrorIs(t, err, errs.Unavailable)
	require.Equal(t, `"1"`, m.must(m.as(id), id).ETag, "nothing has changed")
	name := "Ada King" // a change needs only the database: its event waits in the outbox
	_, err = op.HTTPClient(m.http, api.UpdateUser)(m.as(id), &api.UpdateUserRequest{ID: id.String(), Body: api.ProfileChange{FullName: &name}})
	require.NoError(t, err)
	m.Server.Start()
	m.WaitReady(t)
	require.Eventually(t, func() bool { return m.count("outbox WHERE published_at IS NULL") == 0 }, wait, tick)
}

func TestPostgreSQLAwayIs503AndComesBack(t *testing.T) {
	t.Parallel()
	postgres := pgtest.StartServer(t)
	m := setupWith(t, servicetest.Options{DatabaseURL: postgres.URL("users")})
	id := m.register("Ada", "ada@example.com")

	postgres.Stop()
	m.WaitUnready(t, "postgres")
	require.Equal(t, http.StatusOK, m.alive(), "a restart would not help")
	path := "/api/v1/users/" + id.String()
	m.refused(http.MethodGet, path, "")
	m.refused(http.MethodGet, "/api/v1/users", "")
	m.refused(http.MethodPatch, path, `{"full_name":"Nobody"}`)
	m.refused(http.MethodDelete, path, "")
	m.refused(http.MethodPost, "/api/v1/users", `{"email":"grace@example.com","full_name":"Grace"}`)
	meanwhile := newID()
	publish(m, auth.AccountRegistered, meanwhile, auth.AccountRegisteredData{AccountID: meanwhile, Email: "eve@example.com", FullName: "Eve", At: time.Now()})

	postgres.Start()
	m.WaitReady(t)
	require.Equal(t, "Ada", m.must(m.as(id), id).Body.FullName, "what was refused changed nothing")
	require.Eventually(t, func() bool { _, err := m.get(m.admin(), meanwhile); return err == nil }, 2*wait, tick, "no event is lost")
	require.Zero(t, m.count("dead_letters"))
	out, err := op.HTTPClient(m.http, api.CreateUser)(m.admin(), &api.CreateUserRequest{Body: api.NewUser{Email: "grace@example.com", FullName: "Grace"}})
	require.NoError(t, err)
	require.Equal(t, "Grace", out.Body.FullName)
}

func TestPostgreSQLAwayAtStart(t *testing.T) {
	t.Parallel()
	postgres := pgtest.StartServer(t)
	url := postgres.URL("users")
	postgres.Stop()
	m := setupWith(t, servicetest.Options{DatabaseURL: url, Unready: []string{"*"}})
	m.WaitUnready(t, "migrations")
	require.Equal(t, http.StatusOK, m.alive())
	m.refused(http.MethodGet, "/api/v1/users/me", "")
	postgres.Start()
	m.WaitReady(t)
	m.register("Ada", "ada@example.com")
}

// refused sends a request that the service cannot answer now: it says when to come back, and nothing of what is behind it.
func (m *mesh) refused(method, path, body string) {
	m.t.Helper()
	status, answer, header := m.raw(method, path, body, nil)
	require.Equal(m.t, http.StatusServiceUnavailable, status, answer)
	require.NotEmpty(m.t, header.Get("Retry-After"))
	require.Equal(m.t, "application/problem+json", header.Get("Content-Type"))
	require.NotRegexp(m.t, "(?i)postgres|sql|connect|dial|socket|pool|/tmp", answer)
}

// alive is what the liveness probe answers.
func (m *mesh) alive() int {
	m.t.Helper()
	req, err := http.NewRequestWithContext(m.t.Context(), http.MethodGet, m.AdminURL+"/livez", http.NoBody)
	require.NoError(m.t, err)
	resp, err := m.client.Do(req)
	require.NoError(m.t, err)
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode
}
