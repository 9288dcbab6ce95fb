// Package test tries the users service as a black box: the real composition on a real PostgreSQL and a real NATS. Auth is stood in for
// by its contract: its operations answered over NATS, its events from an outbox of its own.
package test

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/propagation"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/natstest"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/pkg/service/servicetest"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
	"github.com/atrium-mesh/atrium/pkg/token/tokentest"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/api/apitest"
	"github.com/atrium-mesh/atrium/services/users"
	"github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/services/users/internal/store/migrations"
)

const wait, tick = 15 * time.Second, 10 * time.Millisecond

// mesh is the users service with its surroundings.
type mesh struct {
	*servicetest.Service
	t      testing.TB
	client *http.Client
	http   *op.HTTPCaller
	auth   *accounts
	outbox *pgxpool.Pool // auth's
	db     *pgxpool.Pool // users'
}

// accounts stands for auth: it keeps its contract, not its inside.
type accounts struct {
	mu    sync.Mutex
	byID  map[uuid.UUID]*auth.GetAccountResponse
	calls int
	fail  error // what create-account answers next, once
	stand map[uuid.UUID]auth.StandingResponse
	was   map[uuid.UUID]auth.Standing // of those that are deleted
}

// change answers as auth does to somebody who may do everything.
func (a *accounts) change(verb auth.Verb) func(context.Context, *auth.AccountActionRequest) (*auth.StandingResponse, error) {
	return func(_ context.Context, in *auth.AccountActionRequest) (*auth.StandingResponse, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		have := a.stand[in.AccountID]
		is := cmp.Or(have.Standing, auth.StandingActive)
		to := is
		switch {
		case verb == auth.VerbDelete:
			to = auth.StandingDeleted
		case verb == auth.VerbErase && is == auth.StandingDeleted:
			to = auth.StandingErased
		case verb == auth.VerbRestore && is == auth.StandingDeleted:
			to = a.was[in.AccountID]
		case verb == auth.VerbDeactivate:
			to = auth.StandingDisabled
		case verb == auth.VerbActivate:
			to = auth.StandingActive
		}
		if to != is {
			have.Version++
			a.was[in.AccountID] = is
		}
		have.Standing = to
		a.stand[in.AccountID] = have
		return &have, nil
	}
}

func (a *accounts) add(account *auth.GetAccountResponse) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.byID[account.ID] = account
}

func (a *accounts) create(_ context.Context, in *auth.CreateAccountRequest) (*auth.CreateAccountResponse, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls++
	if err := a.fail; err != nil {
		a.fail = nil
		return nil, err
	}
	if have, ok := a.byID[in.ID]; ok {
		return &auth.CreateAccountResponse{ID: have.ID, Email: have.Email, CreatedAt: have.CreatedAt}, nil
	}
	for _, have := range a.byID {
		if strings.EqualFold(have.Email, in.Email) {
			return nil, errs.New(errs.Conflict, "email_taken", "There is an account with this address.")
		}
	}
	at := time.Now().UTC().Truncate(time.Microsecond)
	a.byID[in.ID] = &auth.GetAccountResponse{ID: in.ID, Email: in.Email, FullName: in.FullName, Locale: in.Locale, Status: "active", Roles: in.Roles, CreatedAt: at}
	return &auth.CreateAccountResponse{ID: in.ID, Email: in.Email, CreatedAt: at}, nil
}

func (a *accounts) get(_ context.Context, in *auth.GetAccountRequest) (*auth.GetAccountResponse, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if have, ok := a.byID[in.ID]; ok {
		return have, nil
	}
	return nil, errs.New(errs.NotFound, "account_not_found", "There is no such account.")
}

func setup(t testing.TB) *mesh {
	t.Helper()
	return setupWith(t, servicetest.Options{})
}

func setupWith(t testing.TB, o servicetest.Options) *mesh {
	t.Helper()
	m := &mesh{t: t, client: &http.Client{Timeout: wait}, auth: &accounts{
		byID:  map[uuid.UUID]*auth.GetAccountResponse{},
		stand: map[uuid.UUID]auth.StandingResponse{},
		was:   map[uuid.UUID]auth.Standing{},
	}}
	o.Migrations, o.NATS, o.Issuer = migrations.FS, natstest.StartServer(t), tokentest.NewIssuer(t)
	m.serveAuth(o.NATS, o.Issuer)
	m.Service = servicetest.Start(t, users.Service(), o)
	m.http = op.NewHTTPCaller(m.URL, m.client, propagation.TraceContext{})
	var err error
	m.db, err = pgxpool.New(t.Context(), m.DatabaseURL)
	require.NoError(t, err)
	t.Cleanup(m.db.Close)
	return m
}

func (m *mesh) serveAuth(server *natstest.Server, issuer *tokentest.Issuer) {
	t, tel, conn := m.t, telemetry.Nop(), server.Connect(m.t)
	ops := op.NewServer(op.Config{
		Service: "auth", Logger: slog.New(slog.DiscardHandler), Tracer: tel.Tracer, Meter: tel.Meter, Propagator: tel.Propagator,
		Verify: issuer.Verifier(nil).Verify, VerifyService: issuer.VerifierOf("auth", nil).VerifyService,
	})
	apitest.HandleServiceTokens(ops, issuer, issuer.URL)
	op.Handle(ops, auth.CreateAccount, m.auth.create)
	op.Handle(ops, auth.GetAccount, m.auth.get)
	op.Handle(ops, auth.DeactivateAccount, m.auth.change(auth.VerbDeactivate))
	op.Handle(ops, auth.ActivateAccount, m.auth.change(auth.VerbActivate))
	op.Handle(ops, auth.DeleteAccount, m.auth.change(auth.VerbDelete))
	op.Handle(ops, auth.RestoreAccount, m.auth.change(auth.VerbRestore))
	op.Handle(ops, auth.EraseAccount, m.auth.change(auth.VerbErase))
	op.Handle(ops, auth.MayEditAccount, func(context.Context, *auth.AccountActionRequest) (*struct{}, error) { return &struct{}{}, nil })
	op.Handle(ops, auth.ListWatermarks, func(_ context.Context, in *auth.ListWatermarksRequest) (*auth.ListWatermarksResponse, error) {
		return &auth.ListWatermarksResponse{Next: in.Cursor}, nil
	})
	require.NoError(t, ops.ServeNATS(conn))
	m.outbox = pgtest.New(t, nil)
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	relay := events.NewRelay(events.RelayConfig{
		Pool: m.outbox, JS: js, Stream: "AUTH", Prefix: "auth", Tracer: tel.Tracer, Meter: tel.Meter, Logger: tel.Logger,
	})
	require.NoError(t, relay.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, relay.Stop(context.WithoutCancel(t.Context()))) })
}

// publish lets auth publish an event.
func publish[T any](m *mesh, typ events.Type[T], subject uuid.UUID, data T) {
	m.t.Helper()
	require.NoError(m.t, pg.InTx(m.t.Context(), m.outbox, func(tx pgx.Tx) error {
		return events.Publish(m.t.Context(), tx, typ, subject.String(), data)
	}))
}

// published counts the events of a type in the service's outbox.
func (m *mesh) published(typ string) int {
	m.t.Helper()
	var n int
	require.NoError(m.t, m.db.QueryRow(m.t.Context(), "SELECT count(*) FROM outbox WHERE type = $1", typ).Scan(&n))
	return n
}

// count counts the rows of a table of the service.
func (m *mesh) count(table string) int {
	m.t.Helper()
	var n int
	require.NoError(m.t, m.db.QueryRow(m.t.Context(), "SELECT count(*) FROM "+table).Scan(&n))
	return n
}

// register lets a person sign up, and waits for the profile.
func (m *mesh) register(name, email string) uuid.UUID {
	m.t.Helper()
	id := newID()
	m.auth.add(&auth.GetAccountResponse{ID: id, Email: email, FullName: name, Roles: []string{"user"}, CreatedAt: time.Now()})
	publish(m, auth.AccountRegistered, id, auth.AccountRegisteredData{
		AccountID: id, Email: email, FullName: name, Origin: auth.OriginSignUp, Roles: []string{"user"}, At: time.Now().UTC(),
	})
	require.Eventually(m.t, func() bool { _, err := m.get(m.admin(), id); return err == nil }, wait, tick)
	return id
}

func (m *mesh) admin() context.Context {
	return request.WithToken(m.t.Context(), m.Issuer.SignAdmin(adminID))
}

func (m *mesh) support() context.Context {
	return request.WithToken(m.t.Context(), m.Issuer.SignSupport(newID().String()))
}

func (m *mesh) as(id uuid.UUID) context.Context {
	return request.WithToken(m.t.Context(), m.Issuer.SignUser(id.String()))
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

const adminID = "0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4aaa"

func (m *mesh) get(ctx context.Context, id uuid.UUID) (*api.UserResponse, error) {
	return op.HTTPClient(m.http, api.GetUser)(ctx, &api.GetUserRequest{ID: id.String()})
}

func (m *mesh) must(ctx context.Context, id uuid.UUID) *api.UserResponse {
	m.t.Helper()
	u, err := m.get(ctx, id)
	require.NoError(m.t, err)
	return u
}

// raw sends a request as it stands.
func (m *mesh) raw(method, path, body string, header map[string]string) (int, string, http.Header) {
	m.t.Helper()
	req, err := http.NewRequestWithContext(m.t.Context(), method, m.URL+path, strings.NewReader(body))
	require.NoError(m.t, err)
	req.Header.Set("Authorization", "Bearer "+m.Issuer.SignAdmin(adminID))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := m.client.Do(req)
	require.NoError(m.t, err)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	require.NoError(m.t, err)
	return resp.StatusCode, string(b), resp.Header
}
