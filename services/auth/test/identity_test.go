package test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/service/servicetest"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/services/auth/api"
)

// identity is a service that shows auth who it is, anew for each call.
type identity struct {
	mesh    *mesh
	service string
}

func (m *mesh) identity(service string) identity { return identity{m, service} }

// by is a caller that says that it is this service.
func (m *mesh) by(service string) *op.NATSCaller {
	tel := telemetry.Nop()
	return op.NewNATSCaller(m.NATS, tel.Tracer, tel.Propagator, m.identity(service))
}

func (i identity) Token(ctx context.Context, target string) (string, error) {
	assertion, err := token.NewAssertion(servicetest.AssertionKey(i.service), i.service, i.mesh.Issuer.URL, target, time.Now())
	if err != nil {
		return "", err
	}
	raw, _, err := api.ServiceTokens(i.mesh.caller)(ctx, assertion)
	return raw, err
}

func (identity) Refused(string, string) {}

// edge is what the gateway shows auth over HTTP.
type edge struct {
	identity identity
	mu       sync.Mutex
	raw      string
}

func (e *edge) token(ctx context.Context, renew bool) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.raw != "" && !renew {
		return e.raw, nil
	}
	var err error
	e.raw, err = e.identity.Token(ctx, "auth")
	return e.raw, err
}

func TestServiceTokens(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	exchange := api.ServiceTokens(m.caller)
	now := time.Now()
	assertion := func(key []byte, service, issuer, target string, at time.Time) string {
		raw, err := token.NewAssertion(key, service, issuer, target, at)
		require.NoError(t, err)
		return raw
	}
	good := assertion(servicetest.AssertionKey("users"), "users", m.Issuer.URL, "auth", now)
	raw, lifetime, err := exchange(t.Context(), good)
	require.NoError(t, err)
	require.Equal(t, 15*time.Minute, lifetime)

	person := m.client(t)
	person.with(raw).get("/api/v1/auth/sessions").refused(t, 401, token.CodeInvalid)

	for name, refused := range map[string]string{
		"the same once more":           good,
		"nothing":                      ".",
		"the secret of another":        assertion(servicetest.AssertionKey("notifications"), "users", m.Issuer.URL, "auth", now),
		"a service that is not known":  assertion(servicetest.AssertionKey("users"), "operator", m.Issuer.URL, "auth", now),
		"auth itself":                  assertion(servicetest.AssertionKey("users"), "auth", m.Issuer.URL, "auth", now),
		"another issuer":               assertion(servicetest.AssertionKey("users"), "users", "https://elsewhere.test", "auth", now),
		"a target that is not known":   assertion(servicetest.AssertionKey("users"), "users", m.Issuer.URL, "operator", now),
		"too old":                      assertion(servicetest.AssertionKey("users"), "users", m.Issuer.URL, "auth", now.Add(-2*time.Minute)),
		"of the future":                assertion(servicetest.AssertionKey("users"), "users", m.Issuer.URL, "auth", now.Add(2*time.Minute)),
		"a service's token in its way": raw,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := exchange(t.Context(), refused)
			require.ErrorIs(t, err, errs.Unauthenticated)
			require.Equal(t, "assertion_refused", errs.From(err).Code)
		})
	}
}

// TestInternalOperations asks for each of what is for services alone as nobody, as each service, and as an administrator.
func TestInternalOperations(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	list := func(caller *op.NATSCaller) error {
		_, err := op.NATSClient(caller, api.ListWatermarks)(t.Context(), &api.ListWatermarksRequest{})
		return err
	}
	link := func(caller *op.NATSCaller) error {
		_, err := op.NATSClient(caller, api.AnnounceLink)(t.Context(), &api.AnnounceLinkRequest{})
		return err
	}
	mail := func(caller *op.NATSCaller) error {
		_, err := op.NATSClient(caller, api.SendLink)(t.Context(), &api.SendLinkRequest{})
		return err
	}
	account := func(caller *op.NATSCaller) error {
		_, err := op.NATSClient(caller, api.CreateAccount)(t.Context(), &api.CreateAccountRequest{Roles: []string{"admin"}})
		return err
	}
	for name, call := range map[string]func(*op.NATSCaller) error{"list": list, "link": link, "mail": mail, "account": account} {
		err := call(m.caller)
		require.ErrorIs(t, err, errs.Unauthenticated, name)
		require.Equal(t, "service_missing", errs.From(err).Code, name)
	}
	for _, service := range []string{"users", "notifications", "gateway"} {
		require.NoError(t, list(m.by(service)), service)
	}
	for _, call := range []func(*op.NATSCaller) error{link, mail} {
		require.ErrorIs(t, call(m.by("users")), errs.Forbidden)
		require.ErrorIs(t, call(m.by("gateway")), errs.Forbidden)
		require.ErrorIs(t, call(m.by("notifications")), errs.Invalid, "and says what is missing")
	}
	require.ErrorIs(t, account(m.by("gateway")), errs.Forbidden)
	err := account(m.by("users"))
	require.ErrorIs(t, err, errs.Unauthenticated, "a service is not the person for whom it asks")
	require.Equal(t, "token_missing", errs.From(err).Code)
}

// TestClientAddress is believed from the gateway, and from nobody else.
func TestClientAddress(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	m.person(t, "ada@example.com")
	c := m.client(t)
	c.ip = "198.51.100.20"
	addressOf := func(own string) string {
		a := c.once("POST", "/api/v1/auth/login", "application/json", `{"email":"ada@example.com","password":"`+goodPassword+`"}`, own)
		require.Equal(t, 200, a.StatusCode, string(a.body))
		var ip string
		require.NoError(t, m.pool.QueryRow(t.Context(), "SELECT ip FROM sessions ORDER BY created_at DESC LIMIT 1").Scan(&ip))
		return ip
	}
	gateway, err := m.identity("gateway").Token(t.Context(), "auth")
	require.NoError(t, err)
	require.Equal(t, "198.51.100.20", addressOf(gateway))
	require.Equal(t, "127.0.0.1", addressOf(""), "a stranger has the address of their connection, whatever they say")

	other, err := m.identity("gateway").Token(t.Context(), "users")
	require.NoError(t, err)
	for name, own := range map[string]string{"of another target": other, "nonsense": "x", "a person's": m.client(t).login("ada@example.com", goodPassword).AccessToken} {
		a := c.once("GET", "/.well-known/jwks.json", "", "", own)
		require.Equal(t, 503, a.StatusCode, name)
		require.Equal(t, "true", a.Header.Get(op.HeaderServiceRefused), name)
	}
}
