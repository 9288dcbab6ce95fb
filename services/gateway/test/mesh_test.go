package test

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
	metricnoop "go.opentelemetry.io/otel/metric/noop"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/natstest"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/service/servicetest"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
	"github.com/atrium-mesh/atrium/pkg/telemetry/telemetrytest"
	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/pkg/token/tokentest"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/api/apitest"
	"github.com/atrium-mesh/atrium/services/gateway"
	notifications "github.com/atrium-mesh/atrium/services/notifications/api"
	users "github.com/atrium-mesh/atrium/services/users/api"
)

const (
	ada = "0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"
	bob = "0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5f"
)

// mesh is a gateway with what stands for the services behind it.
type mesh struct {
	*servicetest.Service
	auth, users, notifications *stub
	issuer                     *tokentest.Issuer
	spans                      *telemetrytest.Recorder
	server                     *natstest.Server
	revocations                *revocations
	client                     *http.Client
	env                        config.Source
}

// start runs a gateway without limits, unless env says otherwise.
func start(t testing.TB, env config.Source, options ...gateway.Option) *mesh {
	t.Helper()
	m := &mesh{server: natstest.StartServer(t), issuer: tokentest.NewIssuer(t), spans: telemetrytest.New(t)}
	m.auth = newStub(t, "auth", auth.Operations(), m.issuer)
	m.users = newStub(t, "users", users.Operations(), m.issuer)
	m.notifications = newStub(t, "notifications", notifications.Operations(), m.issuer)
	m.revocations = serveRevocations(t, m.server.Connect(t), m.issuer, cmp.Or(env["ISSUER"], m.issuer.URL))
	m.client = newClient(t)
	m.env = config.Source{
		"AUTH_URL": m.auth.url, "USERS_URL": m.users.url, "NOTIFICATIONS_URL": m.notifications.url,
		"RATE_LIMIT_SIGN_IN": "off", "RATE_LIMIT_SIGN_UP": "off", "RATE_LIMIT_API": "off",
	}.With(env)
	m.Service = m.replica(t, options...)
	return m
}

// replica starts one more gateway of the same mesh.
func (m *mesh) replica(t testing.TB, options ...gateway.Option) *servicetest.Service {
	t.Helper()
	return servicetest.Start(t, gateway.Service(options...), servicetest.Options{
		Env: m.env, NATS: m.server, Issuer: m.issuer, Recorder: m.spans,
	})
}

func newClient(t testing.TB) *http.Client {
	t.Helper()
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport: transport, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// request is what a client sends; the zero value is GET without a token.
type request struct {
	method, path, token, body string
	header                    http.Header
	at                        string // base URL; "": the mesh's first gateway
}

// answer is what it gets. Problem is set for an error.
type answer struct {
	Status  int
	Header  http.Header
	Body    string
	Problem errs.Problem
}

func (m *mesh) do(t testing.TB, q request) answer {
	t.Helper()
	if q.at == "" {
		q.at = m.URL
	}
	if q.method == "" {
		q.method = http.MethodGet
	}
	r, err := http.NewRequestWithContext(t.Context(), q.method, q.at+q.path, strings.NewReader(q.body))
	require.NoError(t, err)
	if q.header != nil {
		r.Header = q.header.Clone()
	}
	if q.token != "" {
		r.Header.Set("Authorization", "Bearer "+q.token)
	}
	if q.body != "" && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	resp, err := m.client.Do(r)
	require.NoError(t, err)
	return read(t, resp)
}

func read(t testing.TB, resp *http.Response) answer {
	t.Helper()
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	a := answer{Status: resp.StatusCode, Header: resp.Header, Body: string(body)}
	if resp.Header.Get("Content-Type") == errs.ContentType && resp.Request.Method != http.MethodHead {
		require.NoError(t, json.Unmarshal(body, &a.Problem))
		require.Equal(t, resp.StatusCode, a.Problem.Status)
		require.Equal(t, resp.Header.Get(op.HeaderRequestID), a.Problem.RequestID)
	}
	return a
}

// refused asserts a problem of the gateway's with this status and code.
func (a answer) refused(t testing.TB, status int, code string) {
	t.Helper()
	require.Equal(t, status, a.Status, a.Body)
	require.Equal(t, errs.ContentType, a.Header.Get("Content-Type"), a.Body)
	require.Equal(t, code, a.Problem.Code)
	require.NotEmpty(t, a.Problem.RequestID)
	require.NotEmpty(t, a.Problem.Detail)
}

// silent asserts that no service was reached since the last look.
func (m *mesh) silent(t testing.TB) {
	t.Helper()
	require.Empty(t, slices.Concat(m.auth.requests(), m.users.requests(), m.notifications.requests()), "it must not reach a service")
}

// revocations stand for auth's list of watermarks.
type revocations struct {
	conn *nats.Conn

	mu    sync.Mutex
	marks []token.Watermark
}

func serveRevocations(t testing.TB, conn *nats.Conn, issuer *tokentest.Issuer, url string) *revocations {
	t.Helper()
	v, tel := &revocations{conn: conn}, telemetry.Nop()
	server := op.NewServer(op.Config{
		Service: "auth", Logger: tel.Logger, Tracer: tel.Tracer, Meter: metricnoop.NewMeterProvider(), Propagator: tel.Propagator,
		Verify: issuer.Verifier(nil).Verify, VerifyService: issuer.VerifierOf("auth", nil).VerifyService,
	})
	apitest.HandleServiceTokens(server, issuer, url)
	op.Handle(server, auth.ListWatermarks, v.list)
	require.NoError(t, server.ServeNATS(conn))
	require.NoError(t, conn.Flush())
	return v
}

func (v *revocations) list(_ context.Context, in *auth.ListWatermarksRequest) (*auth.ListWatermarksResponse, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	from, _ := strconv.Atoi(in.Cursor)
	return &auth.ListWatermarksResponse{Items: slices.Clone(v.marks[from:]), Next: strconv.Itoa(len(v.marks))}, nil
}

// raise revokes as auth does: it is in the list, and announced when told is true.
func (v *revocations) raise(t testing.TB, scope, id string, told bool) {
	t.Helper()
	now := time.Now()
	mark := token.Watermark{Scope: scope, ID: id, NotBefore: now.Add(time.Millisecond), ExpiresAt: now.Add(time.Hour)}
	v.mu.Lock()
	v.marks = append(v.marks, mark)
	v.mu.Unlock()
	if told {
		data, err := json.Marshal(mark)
		require.NoError(t, err)
		require.NoError(t, v.conn.Publish(token.RaisedSubject, data))
		require.NoError(t, v.conn.Flush())
	}
}
