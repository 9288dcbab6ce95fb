package test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/mail/letter"
	"github.com/atrium-mesh/atrium/pkg/mail/mailtest"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/pkg/service/servicetest"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
	"github.com/atrium-mesh/atrium/services/auth"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/migrations"
)

const (
	goodPassword  = "seven green bicycles"
	otherPassword = "nine orange umbrellas"
)

// mesh is a running auth with what a test asks it.
type mesh struct {
	*servicetest.Service
	pool   *pgxpool.Pool
	caller *op.NATSCaller // says nothing of who calls
	edge   *edge          // whom auth takes for the gateway
	setup  <-chan string  // the setup link
	smtp   *mailtest.Server
}

// setup starts auth with cheap password hashes. Env wins.
func setup(t testing.TB, env config.Source) *mesh {
	t.Helper()
	return setupWith(t, env, servicetest.Options{Migrations: migrations.FS})
}

// setupWith is setup with a database or a broker that the test brings along.
func setupWith(t testing.TB, env config.Source, o servicetest.Options) *mesh {
	t.Helper()
	smtp := mailtest.New(t, mailtest.Options{})
	o.Env = config.Source{
		"JWKS_URL":              "", // auth reads its own keys
		"ARGON2_MEMORY_KIB":     "7168",
		"ARGON2_ITERATIONS":     "1",
		"UNIFORM_ANSWER_TIME":   "20ms",
		"PASSWORD_QUEUE_WAIT":   "20s",
		"PASSWORD_QUEUE_LENGTH": "200",
		"SMTP_URL":              smtp.URL(),
		"MAIL_FROM":             "Atrium <no-reply@atrium.test>",
	}.With(env)
	told := make(chan string, 1)
	s := servicetest.Start(t, auth.Service(auth.WithSetupLink(func(link string) { told <- link })), o)
	tel := telemetry.Nop()
	m := &mesh{Service: s, pool: pgtest.Open(t, s.DatabaseURL), caller: op.NewNATSCaller(s.NATS, tel.Tracer, tel.Propagator, nil), setup: told, smtp: smtp}
	m.edge = &edge{identity: m.identity("gateway")}
	return m
}

// client is somebody who calls.
type client struct {
	t      testing.TB
	base   string
	edge   *edge
	token  string
	cookie string
	agent  string
	ip     string
}

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

func (m *mesh) client(t testing.TB) client {
	return client{t: t, base: m.URL, edge: m.edge, agent: firefox, ip: "203.0.113.7"}
}

func (c client) with(token string) client { c.token = token; return c }

// answer is what came back.
type answer struct {
	*http.Response
	body []byte
}

// call sends a JSON body, or none.
func (c client) call(method, path string, body any) answer {
	c.t.Helper()
	var reader io.Reader = http.NoBody
	if body != nil {
		b, err := json.Marshal(body)
		require.NoError(c.t, err)
		reader = bytes.NewReader(b)
	}
	return c.send(method, path, "application/json", reader)
}

// send sends a request as the gateway does.
func (c client) send(method, path, contentType string, body io.Reader) answer {
	c.t.Helper()
	text, err := io.ReadAll(body)
	require.NoError(c.t, err)
	for renewed := false; ; renewed = true {
		own, err := c.edge.token(c.t.Context(), renewed)
		if err != nil {
			own = "" // NATS is away, or auth: then a stranger asks
		}
		a := c.once(method, path, contentType, string(text), own)
		if renewed || a.Header.Get(op.HeaderServiceRefused) == "" {
			return a
		}
	}
}

func (c client) once(method, path, contentType, text, own string) answer {
	c.t.Helper()
	body := io.Reader(http.NoBody)
	if text != "" {
		body = strings.NewReader(text)
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, body)
	require.NoError(c.t, err)
	if body != http.NoBody {
		req.Header.Set("Content-Type", contentType)
	}
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set(op.HeaderClientIP, c.ip)
	if own != "" {
		req.Header.Set(op.HeaderService, own)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if c.cookie != "" {
		req.Header.Set("Cookie", c.cookie)
	}
	res, err := (&http.Client{Timeout: time.Minute}).Do(req)
	require.NoError(c.t, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	require.NoError(c.t, err)
	return answer{Response: res, body: b}
}

func (c client) post(path string, body any) answer {
	c.t.Helper()
	return c.call(http.MethodPost, path, body)
}

func (c client) get(path string) answer {
	c.t.Helper()
	return c.call(http.MethodGet, path, nil)
}

func (c client) delete(path string) answer {
	c.t.Helper()
	return c.call(http.MethodDelete, path, nil)
}

// want fails unless the answer has this status.
func (a answer) want(t testing.TB, status int) answer {
	t.Helper()
	require.Equal(t, status, a.StatusCode, "%s", a.body)
	return a
}

// refused fails unless the answer is a problem with this status and code.
func (a answer) refused(t testing.TB, status int, code string) answer {
	t.Helper()
	a.want(t, status)
	require.Equal(t, "application/problem+json", a.Header.Get("Content-Type"))
	require.Equal(t, code, read[map[string]any](t, a)["code"], "%s", a.body)
	return a
}

func read[T any](t testing.TB, a answer) T {
	t.Helper()
	var out T
	require.NoError(t, json.Unmarshal(a.body, &out), "%s", a.body)
	return out
}

type object = map[string]any

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// register signs somebody up.
func (m *mesh) register(t testing.TB, email string) uuid.UUID {
	t.Helper()
	m.client(t).post("/api/v1/auth/register", object{"email": email, "password": goodPassword, "full_name": "Ada Lovelace"}).want(t, 202)
	return m.idOf(t, email)
}

// idOf is the account of an address, which signing up does not tell.
func (m *mesh) idOf(t testing.TB, email string) uuid.UUID {
	t.Helper()
	var id uuid.UUID
	require.NoError(t, m.pool.QueryRow(t.Context(), "SELECT id FROM accounts WHERE email_key = lower($1)", email).Scan(&id))
	return id
}

// verify proves an address with the password that was chosen at sign-up.
func (m *mesh) verify(t testing.TB, token string) answer {
	t.Helper()
	return m.client(t).post("/api/v1/auth/verify-email", object{"token": token, "password": goodPassword})
}

// person signs somebody up who is verified.
func (m *mesh) person(t testing.TB, email string) uuid.UUID {
	t.Helper()
	id := m.register(t, email)
	m.verify(t, m.link(t, id, api.LinkVerifyEmail)).want(t, 204)
	return id
}

// link is the token of the link in a mail that auth sends.
func (m *mesh) link(t testing.TB, account uuid.UUID, purpose api.LinkPurpose) string {
	t.Helper()
	m.cause(t, account, purpose)
	in := m.mailTo(t, account, purpose)
	out, err := m.send(t, in)
	require.NoError(t, err)
	require.Nil(t, out.Refused)
	return tokenOf(t, m.mailOf(t, in.DeliveryID).Link())
}

// mailTo is the request for a mail with a link, under the newest generation: as the newest event says that asks for a mail.
func (m *mesh) mailTo(t testing.TB, account uuid.UUID, purpose api.LinkPurpose) *api.SendLinkRequest {
	t.Helper()
	in := &api.SendLinkRequest{Letter: letter.Letter{
		Locale: "en", Subject: "A letter", Greeting: "Hello,", Intro: []string{"Words."}, Action: "Do it", LinkHelp: "Copy this:",
		Outro: []string{"More words."}, Other: "It was not me", Why: "You have an account.",
	}}
	in.AccountID, in.Purpose, in.DeliveryID = account, purpose, uuid.Must(uuid.NewV7())
	require.NoError(t, m.pool.QueryRow(t.Context(), "SELECT generation FROM accounts WHERE id = $1", account).Scan(&in.Generation))
	return in
}

func (m *mesh) send(t testing.TB, in *api.SendLinkRequest) (*api.SendLinkResponse, error) {
	t.Helper()
	return op.NATSClient(m.by("notifications"), api.SendLink)(t.Context(), in)
}

// mailOf is the one mail of a delivery.
func (m *mesh) mailOf(t testing.TB, delivery uuid.UUID) mailtest.Mail {
	t.Helper()
	var found []mailtest.Mail
	for _, mail := range m.smtp.Mails() {
		if mail.Header.Get("Message-ID") == "<"+delivery.String()+"@atrium.test>" {
			found = append(found, mail)
		}
	}
	require.Len(t, found, 1)
	return found[0]
}

// cause makes as if something had happened that a mail with a link tells of.
func (m *mesh) cause(t testing.TB, account uuid.UUID, purpose api.LinkPurpose) {
	t.Helper()
	_, err := m.pool.Exec(t.Context(), `INSERT INTO link_causes (id, account_id, purpose, created_at, expires_at)
VALUES ($1, $2, $3, '2000-01-01', now() + interval '1 day')`, uuid.Must(uuid.NewV7()), account, purpose)
	require.NoError(t, err)
}

func tokenOf(t testing.TB, link string) string {
	t.Helper()
	u, err := url.Parse(link)
	require.NoError(t, err)
	token := u.Query().Get("token")
	require.NotEmpty(t, token)
	return token
}

// login signs in.
func (c client) login(email, password string) api.Tokens {
	c.t.Helper()
	a := c.post("/api/v1/auth/login", object{"email": email, "password": password}).want(c.t, 200)
	return read[api.Tokens](c.t, a)
}

// refresh trades a refresh token.
func (c client) refresh(token string) answer {
	c.t.Helper()
	return c.post("/api/v1/auth/refresh", object{"refresh_token": token})
}

// signedIn reports whether an access token is taken.
func (m *mesh) signedIn(t testing.TB, token string) bool {
	t.Helper()
	a := m.client(t).with(token).get("/api/v1/auth/sessions")
	if a.StatusCode == http.StatusOK {
		return true
	}
	a.want(t, http.StatusUnauthorized)
	return false
}

// soonRefused waits until an access token is refused as revoked.
func (m *mesh) soonRefused(t testing.TB, token string) {
	t.Helper()
	m.soonRefusedAs(t, token, "token_revoked")
}

// soonRefusedAs waits until an access token is refused with this code, and no other before it.
func (m *mesh) soonRefusedAs(t testing.TB, token, code string) {
	t.Helper()
	c := m.client(t).with(token)
	var last answer
	require.Eventually(t, func() bool {
		last = c.get("/api/v1/auth/sessions")
		return last.StatusCode == http.StatusUnauthorized
	}, 10*time.Second, 20*time.Millisecond)
	require.Equal(t, code, read[errs.Problem](t, last).Code)
	require.Equal(t, code, read[errs.Problem](t, c.get("/api/v1/auth/sessions").want(t, 401)).Code)
}

// outbox is the data of an account's events of a type, in order, from the outbox.
func outbox[T any](t testing.TB, m *mesh, typeName string, account uuid.UUID) []T {
	t.Helper()
	rows, err := m.pool.Query(t.Context(), "SELECT data FROM outbox WHERE type = $1 AND subject = $2 ORDER BY seq", typeName, account.String())
	require.NoError(t, err)
	defer rows.Close()
	var out []T
	for rows.Next() {
		var raw []byte
		var data T
		require.NoError(t, rows.Scan(&raw))
		require.NoError(t, json.Unmarshal(raw, &data))
		out = append(out, data)
	}
	require.NoError(t, rows.Err())
	return out
}

// audits counts the entries of the audit trail.
func (m *mesh) audits(t testing.TB, action, outcome, subject string) int {
	t.Helper()
	var n int
	require.NoError(t, m.pool.QueryRow(t.Context(),
		"SELECT count(*) FROM audit_log WHERE action = $1 AND outcome = $2 AND subject = $3", action, outcome, subject).Scan(&n))
	return n
}

// invite is how an invitation is refused.
func (m *mesh) invite(t testing.TB, email string) *errs.Error {
	t.Helper()
	_, boss := m.as(t, api.RoleAdmin)
	_, err := op.NATSClient(m.by("users"), api.CreateAccount)(request.WithToken(t.Context(), boss.token), &api.CreateAccountRequest{
		ID: uuid.Must(uuid.NewV7()), Email: email, FullName: "Grace Hopper",
	})
	require.Error(t, err)
	return errs.From(err)
}
