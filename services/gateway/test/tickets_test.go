package test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
	metricnoop "go.opentelemetry.io/otel/metric/noop"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/pkg/token/tokentest"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	notifications "github.com/atrium-mesh/atrium/services/notifications/api"
)

// ticketed is what every ticket of a test looks like.
const ticketed = "3q2-7wECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxw"

// tickets stand for the table of notifications.
type tickets struct {
	mu     sync.Mutex
	tokens map[string]string
	asked  int
}

func serveTickets(t testing.TB, conn *nats.Conn, issuer *tokentest.Issuer) *tickets {
	t.Helper()
	v, tel := &tickets{tokens: map[string]string{}}, telemetry.Nop()
	server := op.NewServer(op.Config{
		Service: "notifications", Logger: tel.Logger, Tracer: tel.Tracer, Meter: metricnoop.NewMeterProvider(), Propagator: tel.Propagator,
		Verify: issuer.Verifier(nil).Verify, VerifyService: issuer.VerifierOf("notifications", nil).VerifyService,
	})
	op.Handle(server, notifications.RedeemStreamTicket, v.redeem)
	require.NoError(t, server.ServeNATS(conn))
	require.NoError(t, conn.Flush())
	return v
}

func (v *tickets) issue(ticket, bearer string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.tokens[ticket] = bearer
}

func (v *tickets) redeem(_ context.Context, in *notifications.RedeemStreamTicketRequest) (*notifications.RedeemStreamTicketResponse, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked++
	bearer, ok := v.tokens[in.Ticket]
	if !ok {
		return nil, errs.New(errs.Unauthenticated, "ticket_invalid", "No.")
	}
	delete(v.tokens, in.Ticket)
	return &notifications.RedeemStreamTicketResponse{AccessToken: bearer}, nil
}

// redemptions is how often somebody asked for the token of a ticket since the last call.
func (v *tickets) redemptions() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := v.asked
	v.asked = 0
	return n
}

func TestTicketOpensAStreamOnce(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	v := serveTickets(t, m.server.Connect(t), m.issuer)
	m.notifications.answer(streaming(nil))
	good := m.issuer.SignUser(ada)
	for _, name := range []string{"ticket", "%74icket"} { // the same parameter, spelt with care
		v.issue(ticketed, good)
		address := m.URL + streamPath + "?last_event_id=" + bob + "&" + name + "=" + ticketed
		conn, _, err := websocket.Dial(t.Context(), address, &websocket.DialOptions{HTTPClient: m.client})
		require.NoError(t, err)
		_ = conn.CloseNow()
		reached := m.notifications.requests()[0]
		require.Equal(t, streamPath+"?last_event_id="+bob, reached.URI, "it goes no further than the gateway")
		require.Equal(t, "Bearer "+good, reached.Header.Get("Authorization"))
		m.do(t, request{path: streamPath + "?" + name + "=" + ticketed}).refused(t, http.StatusUnauthorized, "ticket_invalid")
		m.silent(t)
	}
	for _, span := range m.spans.Spans() {
		for _, a := range span.Attributes {
			require.NotContains(t, a.Value.String(), ticketed, a.Key)
		}
	}
}

// TestTicketOnAnyPage: a ticket is proof by itself, whatever page has it and whatever cookies its browser adds. They never decide who it is.
func TestTicketOnAnyPage(t *testing.T) {
	t.Parallel()
	m := start(t, config.Source{"CORS_ORIGINS": "https://app.example.com"})
	v := serveTickets(t, m.server.Connect(t), m.issuer)
	m.notifications.answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	hers, his := m.issuer.SignUser(ada), m.issuer.SignUser(bob)
	for name, c := range map[string]struct {
		header   http.Header
		readable string
	}{
		"a program":                 {http.Header{}, "*"},
		"a page that is listed":     {http.Header{"Origin": {"https://app.example.com"}, "Sec-Fetch-Site": {"same-site"}}, "https://app.example.com"},
		"another of the same site":  {http.Header{"Origin": {"https://wiki.example.com"}, "Sec-Fetch-Site": {"same-site"}}, "*"},
		"a page of another site":    {http.Header{"Origin": {"https://other.example"}, "Sec-Fetch-Site": {"cross-site"}}, "*"},
		"a browser that says less":  {http.Header{"Origin": {"https://other.example"}}, "*"},
		"a page without an address": {http.Header{"Origin": {"null"}}, "*"},
	} {
		for _, cookie := range []string{"", auth.CookieAccess + "=" + his, auth.CookieRefresh + "=x; " + auth.CookieDevice + "=y"} {
			h := c.header.Clone()
			if cookie != "" {
				h.Set("Cookie", cookie)
			}
			v.issue(ticketed, hers)
			got := m.do(t, request{path: streamPath + "?ticket=" + ticketed, header: h})
			require.Equal(t, http.StatusOK, got.Status, "%s, %s: %s", name, cookie, got.Body)
			require.Equal(t, c.readable, got.Header.Get("Access-Control-Allow-Origin"), name)
			require.Equal(t, "Bearer "+hers, m.notifications.requests()[0].Header.Get("Authorization"), "%s, %s", name, cookie)

			got = m.do(t, request{path: streamPath + "?ticket=" + ticketed, header: h})
			got.refused(t, http.StatusUnauthorized, "ticket_invalid") // also with good cookies beside it
			require.NotEqual(t, "*", got.Header.Get("Access-Control-Allow-Origin"), name)
			m.silent(t)
		}
	}
}

func TestTicketOfATokenThatIsNotGood(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	v := serveTickets(t, m.server.Connect(t), m.issuer)
	m.notifications.answer(streaming(nil))
	path := streamPath + "?ticket=" + ticketed
	v.issue(ticketed, m.issuer.Expired(tokentest.Claims{Subject: ada}))
	m.do(t, request{path: path}).refused(t, http.StatusUnauthorized, token.CodeExpired)

	session := m.issuer.Sign(tokentest.Claims{Subject: ada, SessionID: bob})
	m.revocations.raise(t, token.ScopeSession, bob, true)
	require.Eventually(t, func() bool { // revoked between the ticket and its use
		v.issue(ticketed, session)
		return m.do(t, request{path: path, header: http.Header{"Upgrade": {"x"}}}).Problem.Code == token.CodeRevoked
	}, within, tick)
}

func TestTicketWithoutNotifications(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	got := m.do(t, request{path: streamPath + "?ticket=" + ticketed})
	require.Equal(t, http.StatusServiceUnavailable, got.Status, got.Body)
	require.NotEmpty(t, got.Header.Get("Retry-After"))
	m.silent(t)
}

func TestTicketsAreForStreams(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	v := serveTickets(t, m.server.Connect(t), m.issuer)
	v.issue(ticketed, m.issuer.SignUser(ada))
	m.do(t, request{path: "/api/v1/users/me?ticket=" + ticketed}).refused(t, http.StatusUnauthorized, token.CodeMissing)
	m.silent(t)
}

// TestGuessedTicketsAreLimited: each costs notifications a transaction, so that no more are asked about than the limit allows.
func TestGuessedTicketsAreLimited(t *testing.T) {
	t.Parallel()
	m := limited(t, config.Source{"RATE_LIMIT_API": "3/1m"})
	v := serveTickets(t, m.server.Connect(t), m.issuer)
	q := from("192.0.2.1", request{path: streamPath + "?ticket=" + ticketed})
	for range 3 {
		m.do(t, q).refused(t, http.StatusUnauthorized, "ticket_invalid")
	}
	require.Equal(t, 3, v.redemptions(), "each is counted once")
	for range 20 {
		m.do(t, q).refused(t, http.StatusTooManyRequests, "rate_limited")
	}
	require.Zero(t, v.redemptions(), "nobody is asked about what is over the limit")

	m.notifications.answer(streaming(nil))
	v.issue(ticketed, m.issuer.SignUser(ada))
	conn, _, err := websocket.Dial(t.Context(), m.URL+q.path, &websocket.DialOptions{
		HTTPClient: m.client, HTTPHeader: http.Header{"X-Forwarded-For": {"192.0.2.2"}},
	})
	require.NoError(t, err, "another address is another client")
	_ = conn.CloseNow()
}

// TestNoTickets: what cannot be one is refused without a question.
func TestNoTickets(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	v := serveTickets(t, m.server.Connect(t), m.issuer)
	for name, text := range map[string]string{
		"empty":                    "",
		"too short":                ticketed[:42],
		"too long":                 ticketed + "A",
		"very long":                strings.Repeat("A", 4096),
		"padded":                   ticketed[:42] + "=",
		"another alphabet":         "+" + ticketed[1:],
		"another text of the same": ticketed[:42] + "x",
		"a line break":             ticketed[:42] + "\n",
	} {
		got := m.do(t, request{path: streamPath + "?ticket=" + url.QueryEscape(text)})
		require.Equal(t, http.StatusUnauthorized, got.Status, name)
		require.Contains(t, []string{"ticket_invalid", token.CodeMissing}, got.Problem.Code, name)
		require.Zero(t, v.redemptions(), name)
	}
}

func TestMoreThanOneCredential(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	good := m.issuer.SignUser(ada)
	for name, q := range map[string]request{
		"two tickets":          {path: streamPath + "?ticket=" + ticketed + "&ticket=" + ticketed},
		"a ticket and a token": {path: streamPath + "?ticket=" + ticketed, token: good},
	} {
		got := m.do(t, q)
		require.Equal(t, "credentials_ambiguous", got.Problem.Code, name)
		require.Equal(t, http.StatusBadRequest, got.Status, name)
		m.silent(t)
	}
	for _, name := range auth.Cookies() {
		for _, cookies := range [][]string{{name + "=x; other=1; " + name + "=" + good}, {name + "=x", name + "=y"}, {name + "=x", name + "=x"}} {
			for _, q := range []request{
				{path: "/api/v1/users/me"},
				{path: "/api/v1/users/me", token: good},
				{method: "POST", path: "/api/v1/auth/login", body: "{}"},
				{method: "POST", path: "/api/v1/auth/refresh"},
				{method: "POST", path: "/api/v1/auth/verify-email", body: "{}"},
			} {
				q.header = http.Header{"Cookie": cookies}
				m.do(t, q).refused(t, http.StatusBadRequest, "credentials_ambiguous")
				m.silent(t)
			}
		}
	}
	// What asks for no person and reads no cookie goes on: a host nearby, which can add one, keeps nobody from it.
	for _, name := range auth.Cookies() {
		for _, path := range []string{auth.ForgotPassword.Path, auth.ResetPassword.Path, auth.NotMe.Path, auth.Disown.Path} {
			m.do(t, request{method: "POST", path: path, body: "{}", header: http.Header{"Cookie": {name + "=x; " + name + "=" + good}}})
			reached := m.auth.requests()
			require.Len(t, reached, 1, "%s with two of %s", path, name)
			require.Empty(t, reached[0].Header.Get("Authorization"), "nobody in particular")
		}
	}
	twoFields := http.Header{"Authorization": {"Bearer " + good, "Basic x"}}
	m.do(t, request{path: "/api/v1/users/me", header: twoFields}).refused(t, http.StatusBadRequest, "malformed_header")
	m.silent(t)
}

func TestTokenInAnAddress(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	m.notifications.answer(streaming(nil))
	good := m.issuer.SignUser(ada)
	for _, path := range []string{
		streamPath + "?access_token=" + url.QueryEscape(good),
		streamPath + "?last_event_id=" + bob + "&access%5Ftoken=" + url.QueryEscape(good),
		"/api/v1/users/me?access_token=" + good,
		"/.well-known/jwks.json?access_token=" + good,
	} {
		for _, bearer := range []string{"", good} {
			got := m.do(t, request{path: path, token: bearer})
			got.refused(t, http.StatusUnauthorized, "token_in_url")
			require.NotContains(t, got.Body, good)
			m.silent(t)
		}
	}
	require.False(t, strings.Contains(m.metrics(t), good))
}
