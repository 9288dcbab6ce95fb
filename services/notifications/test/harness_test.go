// Package test runs notifications as a black box: on a real PostgreSQL, a real NATS and a real SMTP server, with the events of the other
// services published as those publish them.
package test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/jobs"
	"github.com/atrium-mesh/atrium/pkg/mail"
	"github.com/atrium-mesh/atrium/pkg/mail/letter"
	"github.com/atrium-mesh/atrium/pkg/mail/mailtest"
	"github.com/atrium-mesh/atrium/pkg/natstest"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
	"github.com/atrium-mesh/atrium/pkg/service"
	"github.com/atrium-mesh/atrium/pkg/service/servicetest"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
	"github.com/atrium-mesh/atrium/pkg/telemetry/telemetrytest"
	"github.com/atrium-mesh/atrium/pkg/token/tokentest"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/api/apitest"
	"github.com/atrium-mesh/atrium/services/notifications"
	"github.com/atrium-mesh/atrium/services/notifications/internal/store/migrations"
)

// soon bounds what should take milliseconds.
const soon = 20 * time.Second

// TestMain runs the service itself in the processes that the tests start to kill them.
func TestMain(m *testing.M) {
	if os.Getenv("NOTIFICATIONS_CHILD") != "" {
		service.Main(notifications.Service())
		return
	}
	os.Exit(m.Run())
}

// world is a mesh around notifications.
type world struct {
	t        testing.TB
	nats     *natstest.Server
	smtp     *mailtest.Server
	issuer   *tokentest.Issuer
	recorder *telemetrytest.Recorder
	url      string // of the database
	db       *pgxpool.Pool
	auth     *producer
	users    *producer
	links    *linkMaker
	env      config.Source
}

// newWorld starts everything but notifications.
func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{
		t: t, nats: natstest.StartServer(t), smtp: mailtest.New(t, mailtest.Options{}), issuer: tokentest.NewIssuer(t),
		recorder: telemetrytest.New(t), url: pgtest.NewURL(t, migrations.FS),
	}
	w.db = pgtest.Open(t, w.url)
	require.NoError(t, jobs.Migrate(t.Context(), w.db)) // so that tests can look at jobs before the service has started
	w.auth, w.users = newProducer(t, w, "auth"), newProducer(t, w, "users")
	w.links = newLinkMaker(t, w)
	w.env = config.Source{
		"SMTP_URL": w.smtp.URL(), "MAIL_FROM": "Atrium <no-reply@atrium.test>", "MAIL_RETRY_AFTER": "50ms", "PRODUCT_URL": "https://app.atrium.test",
		"LINK_BASE_URL": "https://app.atrium.test",
	}
	return w
}

// start starts a replica of notifications.
func (w *world) start() *servicetest.Service {
	w.t.Helper()
	return servicetest.Start(w.t, notifications.Service(), servicetest.Options{
		Env: w.env, DatabaseURL: w.url, NATS: w.nats, Issuer: w.issuer, Recorder: w.recorder,
	})
}

// producer publishes events as a service does: from an outbox, with a relay.
type producer struct {
	db  *pgxpool.Pool
	tel *telemetry.Telemetry
}

func newProducer(t testing.TB, w *world, name string) *producer {
	t.Helper()
	p := &producer{db: pgtest.New(t, nil), tel: w.recorder.Telemetry(name)}
	js, err := jetstream.New(w.nats.Connect(t))
	require.NoError(t, err)
	relay := events.NewRelay(events.RelayConfig{Pool: p.db, JS: js, Stream: strings.ToUpper(name), Prefix: name, Tracer: p.tel.Tracer})
	require.NoError(t, relay.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 5*time.Second)
		defer cancel()
		_ = relay.Stop(ctx)
	})
	return p
}

func publish[T any](ctx context.Context, t testing.TB, p *producer, typ events.Type[T], subject uuid.UUID, data T) {
	t.Helper()
	require.NoError(t, pg.InTx(ctx, p.db, func(tx pgx.Tx) error { return events.Publish(ctx, tx, typ, subject.String(), data) }))
}

// stands lets auth tell how an account stands.
func (w *world) stands(ctx context.Context, id uuid.UUID, is auth.Standing, version int64) {
	w.t.Helper()
	publish(ctx, w.t, w.auth, auth.AccountStandingChanged, id, auth.AccountStandingChangedData{
		AccountID: id,
		Standing:  is,
		Version:   version,
		By:        "boss",
		At:        time.Now().UTC(),
	})
}

// linkMaker answers for auth what notifications asks of it, and sends the mails with links over the same SMTP server.
type linkMaker struct {
	world  *world
	fail   atomic.Pointer[errs.Error] // what both operations answer instead
	unsent atomic.Pointer[errs.Error] // what the second alone answers instead
	layout *letter.Layout
	sender *mail.Sender

	mu    sync.Mutex
	asked []auth.AnnounceLinkRequest
	sent  map[uuid.UUID]bool
}

// generations are those that links of an account were asked for under.
func (m *linkMaker) generations(account uuid.UUID) []int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []int64
	for _, in := range m.asked {
		if in.AccountID == account {
			out = append(out, in.Generation)
		}
	}
	return out
}

func newLinkMaker(t testing.TB, w *world) *linkMaker {
	t.Helper()
	m, tel := &linkMaker{world: w, sent: map[uuid.UUID]bool{}}, w.recorder.Telemetry("auth")
	var err error
	m.layout, err = letter.NewLayout(letter.Brand{Product: "Atrium", URL: "https://app.atrium.test"})
	require.NoError(t, err)
	m.sender, err = mail.NewSender(mail.Config{
		URL: w.smtp.URL(), From: "Atrium <no-reply@atrium.test>", Timeout: 5 * time.Second,
	}, tel.Tracer, time.Now)
	require.NoError(t, err)
	t.Cleanup(func() { _ = m.sender.Stop(context.WithoutCancel(t.Context())) })
	server := op.NewServer(op.Config{
		Service: "auth", Logger: tel.Logger, Tracer: tel.Tracer, Meter: tel.Meter, Propagator: tel.Propagator,
		Verify: w.issuer.Verifier(nil).Verify, VerifyService: w.issuer.VerifierOf("auth", nil).VerifyService,
	})
	apitest.HandleServiceTokens(server, w.issuer, w.issuer.URL)
	op.Handle(server, auth.AnnounceLink, m.announce)
	op.Handle(server, auth.SendLink, m.send)
	op.Handle(server, auth.ListWatermarks, func(_ context.Context, in *auth.ListWatermarksRequest) (*auth.ListWatermarksResponse, error) {
		return &auth.ListWatermarksResponse{Next: in.Cursor}, nil
	})
	require.NoError(t, server.ServeNATS(w.nats.Connect(t)))
	t.Cleanup(func() { _ = server.StopNATS(context.WithoutCancel(t.Context())) })
	return m
}

func (m *linkMaker) announce(_ context.Context, in *auth.AnnounceLinkRequest) (*auth.AnnounceLinkResponse, error) {
	m.mu.Lock()
	m.asked = append(m.asked, *in)
	m.mu.Unlock()
	if e := m.fail.Load(); e != nil {
		return nil, e
	}
	return &auth.AnnounceLinkResponse{ExpiresAt: time.Now().Add(time.Hour)}, nil
}

// send sends a mail that auth would send, once.
func (m *linkMaker) send(ctx context.Context, in *auth.SendLinkRequest) (*auth.SendLinkResponse, error) {
	if e := cmp.Or(m.fail.Load(), m.unsent.Load()); e != nil {
		return nil, e
	}
	if err := in.Letter.Check("body.letter"); err != nil {
		return nil, err
	}
	out := &auth.SendLinkResponse{Email: m.addressOf(ctx, in.AccountID)}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sent[in.DeliveryID] {
		return out, nil
	}
	laid, err := m.layout.Fill(in.Letter, letter.Links{
		Action: "https://app.atrium.test/account/" + string(in.Purpose) + "?token=" + in.DeliveryID.String(),
		Other:  map[auth.LinkPurpose]string{auth.LinkVerifyEmail: "https://app.atrium.test/account/disown?token=x"}[in.Purpose],
	})
	if err != nil {
		return nil, err
	}
	err = m.sender.Send(ctx, mail.Message{
		ID: in.DeliveryID.String(), To: out.Email, Locale: laid.Locale, Subject: laid.Subject, Text: laid.Text, HTML: laid.HTML,
	})
	if failed, ok := errors.AsType[*mail.Error](err); ok {
		out.Refused = &auth.MailRefusal{Reason: failed.Reason, Detail: failed.Detail, Temporary: failed.Temporary}
		return out, nil
	}
	m.sent[in.DeliveryID] = true
	return out, nil
}

// addressOf is the address of an account as auth knows it: as it was registered.
func (m *linkMaker) addressOf(ctx context.Context, account uuid.UUID) string {
	var email string
	err := m.world.auth.db.QueryRow(context.WithoutCancel(ctx),
		"SELECT coalesce(max(data->>'email'), '') FROM outbox WHERE type = $1 AND subject = $2", auth.AccountRegistered.Name, account.String()).Scan(&email)
	if err != nil {
		m.world.t.Errorf("look up the address: %v", err)
	}
	return email
}

// person is somebody who signed up.
type person struct {
	id    uuid.UUID
	email string
}

// signUp publishes what auth publishes of a registration.
func (w *world) signUp(ctx context.Context, name string) person {
	w.t.Helper()
	p := person{id: newID(w.t), email: strings.ToLower(name) + "@example.com"}
	publish(ctx, w.t, w.auth, auth.AccountRegistered, p.id, auth.AccountRegisteredData{
		AccountID: p.id, Email: p.email, FullName: name + " Example", Locale: "en", Origin: auth.OriginSignUp, Roles: []string{"user"}, At: time.Now(),
	})
	return p
}

// known makes people whom notifications knows, without a mail.
func (w *world) known(names ...string) []person {
	w.t.Helper()
	var people []person
	for _, name := range names {
		p := person{id: newID(w.t), email: strings.ToLower(name) + "@example.com"}
		publish(w.t.Context(), w.t, w.auth, auth.AccountRegistered, p.id, auth.AccountRegisteredData{
			AccountID: p.id, Email: p.email, FullName: name, Locale: "en", Origin: auth.OriginSetup, Roles: []string{"user"}, Verified: true,
		})
		people = append(people, p)
	}
	w.eventually(func() bool {
		return w.count("SELECT count(*) FROM recipients WHERE id = ANY($1)", ids(people)) == int64(len(people))
	}, "recipients are made")
	return people
}

func ids(people []person) []uuid.UUID {
	out := make([]uuid.UUID, len(people))
	for i, p := range people {
		out[i] = p.id
	}
	return out
}

func newID(t testing.TB) uuid.UUID {
	t.Helper()
	id, err := uuid.NewV7()
	require.NoError(t, err)
	return id
}

func (w *world) count(sql string, args ...any) int64 {
	w.t.Helper()
	var n int64
	require.NoError(w.t, w.db.QueryRow(w.t.Context(), sql, args...).Scan(&n))
	return n
}

func (w *world) eventually(ok func() bool, what string) {
	w.t.Helper()
	require.Eventually(w.t, ok, soon, 10*time.Millisecond, what)
}

// answer is what the service answered.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) into(t testing.TB, v any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(a.body, v), string(a.body))
}

func (a answer) code(t testing.TB) string {
	t.Helper()
	var p errs.Problem
	a.into(t, &p)
	return p.Code
}

// call makes a request; body is JSON, or nil. Header is pairs of names and values.
func call(t testing.TB, method, url, token string, body any, header ...string) answer {
	t.Helper()
	var r io.Reader = http.NoBody
	if body != nil {
		b, err := json.Marshal(body)
		require.NoError(t, err)
		r = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, r)
	require.NoError(t, err)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	client := http.Client{Timeout: soon, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return answer{status: res.StatusCode, header: res.Header, body: b}
}
