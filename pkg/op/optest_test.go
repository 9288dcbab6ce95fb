package op_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
	metricnoop "go.opentelemetry.io/otel/metric/noop"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/natstest"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/pkg/telemetry/telemetrytest"
)

const (
	ada = "0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"
	bob = "0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5f"
)

type thing struct {
	Name   string `json:"name" minLength:"2" maxLength:"20" doc:"Its name" example:"lamp"`
	Secret string `json:"secret" minLength:"12" doc:"Something secret" example:"correct horse battery"`
}

type putThing struct {
	ID      string `path:"id" format:"uuid" doc:"Whose" example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	IfMatch string `header:"If-Match" doc:"Version" example:"\"1\""`
	Loud    bool   `query:"loud" doc:"Whether to shout" example:"true"`
	Body    thing
}

type thingAnswer struct {
	ETag string `header:"ETag" doc:"Version" example:"\"1\""`
	Body struct {
		Name string `json:"name" doc:"Its name" example:"lamp"`
		By   string `json:"by" doc:"Who" example:"ada"`
		IP   string `json:"ip" doc:"From where" example:"192.0.2.1"`
	}
}

var putOp = op.Op[putThing, thingAnswer]{
	Operation: huma.Operation{OperationID: "put-thing", Method: http.MethodPut, Path: "/api/v1/things/{id}", Summary: "Put", Errors: []int{412}},
	Subject:   "rpc.things.put-thing", Allow: authz.SelfOr("id", "things:write"), Timeout: 300 * time.Millisecond,
	Deprecated: &op.Deprecation{
		Since: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Sunset: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), Link: "https://example.com/new",
	},
}

type empty struct{}

var myThings = op.Op[empty, thingAnswer]{
	Operation: huma.Operation{OperationID: "my-things", Method: http.MethodGet, Path: "/api/v1/things/mine", Summary: "Mine"},
	Allow:     authz.Authenticated(),
}

// rich has a member of each kind that two readers could understand differently.
type rich struct {
	Name    string         `json:"name" minLength:"2" maxLength:"20" doc:"Its name" example:"lamp"`
	Kind    string         `json:"kind,omitempty" enum:"small,large" default:"small" doc:"Its kind" example:"small"`
	Tags    []string       `json:"tags,omitempty" nullable:"false" maxItems:"3" uniqueItems:"true" doc:"Tags" example:"[\"a\"]"`
	Loose   []string       `json:"loose,omitempty" doc:"A list that may be null" example:"[\"a\"]"`
	Count   int64          `json:"count,omitempty" minimum:"0" doc:"How many" example:"1"`
	Owner   *string        `json:"owner,omitempty" format:"uuid" doc:"Whose" example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	Note    *string        `json:"note" required:"false" nullable:"true" doc:"A note that may be null" example:"x"`
	Inner   *richInner     `json:"inner,omitempty" doc:"More" example:"{\"deep\":true}"`
	Data    map[string]any `json:"data,omitempty" doc:"Anything" example:"{\"a\":1}"`
	Decimal float64        `json:"decimal,omitempty" maximum:"10" doc:"A number" example:"1.5"`
	When    *time.Time     `json:"when,omitempty" doc:"A time" example:"2026-01-02T15:04:05Z"`
}

type richInner struct {
	Deep bool `json:"deep" doc:"Whether" example:"true"`
}

type richIn struct {
	ID    string    `path:"id" format:"uuid" doc:"Whose" example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	Page  int       `query:"page" minimum:"1" default:"7" doc:"Page" example:"1"`
	Since time.Time `query:"since" doc:"Since when" example:"2026-01-02T15:04:05Z"`
	Body  rich
}

type richAnswer struct {
	Body struct {
		rich
		Page int `json:"page" doc:"Page" example:"1"`
	}
}

var richOp = op.Op[richIn, richAnswer]{
	Operation: huma.Operation{OperationID: "put-rich", Method: http.MethodPut, Path: "/api/v1/riches/{id}", Summary: "Put"},
	Subject:   "rpc.things.put-rich", Allow: authz.Public(),
}

// inner is an operation that only services call.
type innerIn struct {
	Email string   `json:"email" minLength:"3" maxLength:"30"`
	Roles []string `json:"roles,omitempty" nullable:"false" maxItems:"2" uniqueItems:"true"`
}

type innerAnswer struct {
	Email string `json:"email"`
}

var innerOp = op.Op[innerIn, innerAnswer]{
	Operation: huma.Operation{OperationID: "inner"},
	Subject:   "rpc.things.inner", Allow: authz.Public(),
}

type formIn struct {
	Body struct {
		_        struct{} `additionalProperties:"true"`
		Username string   `json:"username" doc:"Who" example:"ada"`
	} `contentType:"application/x-www-form-urlencoded"`
}

var formOp = op.Op[formIn, thingAnswer]{
	Operation: huma.Operation{OperationID: "form", Method: http.MethodPost, Path: "/api/v1/form", Summary: "Form"},
	Allow:     authz.Public(),
}

// bundle is a server with both transports. What put does is up to the test.
type bundle struct {
	*op.Server
	url     string
	natsURL *natstest.Server
	caller  *op.NATSCaller
	http    *op.HTTPCaller
	spans   *telemetrytest.Recorder
	logs    *lockedBuffer
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}
func (b *lockedBuffer) String() string { b.mu.Lock(); defer b.mu.Unlock(); return b.buf.String() }

// verify makes tokens of the form "subject" or "subject+permission".
func verify(_ context.Context, token string) (*authz.Principal, error) {
	if token == "bad" {
		return nil, errs.New(errs.Unauthenticated, "token_invalid", "The token is not valid.")
	}
	subject, permission, _ := strings.Cut(token, "+")
	return &authz.Principal{Subject: subject, Permissions: []string{permission}}, nil
}

// verifyService makes names of tokens of the form "service users".
func verifyService(ctx context.Context, raw string) (string, error) {
	switch raw {
	case "slow": // keys that do not come
		<-ctx.Done()
		return "", ctx.Err()
	case "panic":
		panic(errBroken)
	}
	name, ok := strings.CutPrefix(raw, "service ")
	if !ok {
		return "", errs.New(errs.Unavailable, authz.CodeServiceRefused, "It is not believed.")
	}
	return name, nil
}

func setup(t *testing.T, put func(context.Context, *putThing) (*thingAnswer, error)) *bundle {
	t.Helper()
	return setupWith(t, put, func(*op.Server) {})
}

func setupWith(t *testing.T, put func(context.Context, *putThing) (*thingAnswer, error), more func(*op.Server)) *bundle {
	t.Helper()
	b := &bundle{natsURL: natstest.StartServer(t), logs: &lockedBuffer{}}
	b.spans = telemetrytest.New(t)
	tel := b.spans.Telemetry("things")
	b.Server = op.NewServer(op.Config{
		Service: "things", Logger: slog.New(slog.NewTextHandler(b.logs, nil)), Tracer: tel.Tracer,
		Meter: metricnoop.NewMeterProvider(), Propagator: tel.Propagator, Verify: verify, VerifyService: verifyService, Concurrency: 4,
	})
	more(b.Server)
	op.Handle(b.Server, putOp, put)
	op.Handle(b.Server, myThings, func(ctx context.Context, _ *empty) (*thingAnswer, error) {
		return answer(ctx, "mine"), nil
	})
	op.Handle(b.Server, formOp, func(ctx context.Context, in *formIn) (*thingAnswer, error) {
		return answer(ctx, in.Body.Username), nil
	})
	op.Handle(b.Server, richOp, func(_ context.Context, in *richIn) (*richAnswer, error) {
		out := &richAnswer{}
		out.Body.rich, out.Body.Page = in.Body, in.Page
		return out, nil
	})
	op.Handle(b.Server, innerOp, func(_ context.Context, in *innerIn) (*innerAnswer, error) {
		return &innerAnswer{Email: in.Email}, nil
	})
	op.HandleRaw(b.Server, op.Op[empty, struct{}]{
		Operation: huma.Operation{OperationID: "raw", Method: http.MethodGet, Path: "/raw", Summary: "Raw"}, Allow: authz.Authenticated(), Stream: true,
	}, func(w http.ResponseWriter, r *http.Request, _ *empty) error {
		if r.URL.Query().Has("x") {
			return errs.New(errs.RateLimited, "too_many_streams", "Too many.")
		}
		_, err := io.WriteString(w, "raw:"+authz.PrincipalFrom(r.Context()).Subject)
		return err
	})
	server := httptest.NewServer(b.HTTP())
	t.Cleanup(server.Close)
	b.url = server.URL
	conn, err := nats.Connect(b.natsURL.URL())
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	require.NoError(t, b.ServeNATS(conn))
	require.NoError(t, conn.Flush())
	b.caller = op.NewNATSCaller(conn, tel.Tracer, tel.Propagator, nil)
	b.http = op.NewHTTPCaller(server.URL, server.Client(), tel.Propagator)
	return b
}

func answer(ctx context.Context, name string) *thingAnswer {
	out := &thingAnswer{ETag: `"1"`}
	out.Body.Name, out.Body.IP = name, request.From(ctx).ClientIP
	if p := authz.PrincipalFrom(ctx); p != nil {
		out.Body.By = p.Subject
	}
	return out
}

func echo(ctx context.Context, in *putThing) (*thingAnswer, error) {
	return answer(ctx, in.Body.Name), nil
}

// do sends a request and returns the status, the problem's code (if it is one), the body and the header.
func (b *bundle) do(t *testing.T, method, path, token, contentType, body string) (int, string, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, b.url+path, strings.NewReader(body))
	require.NoError(t, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	req.Header.Set(op.HeaderClientIP, "192.0.2.7")
	req.Header.Set(op.HeaderService, "service gateway")
	status, raw, header := b.roundTrip(t, req)
	var p errs.Problem
	if status >= 400 {
		require.Equal(t, errs.ContentType, header.Get("Content-Type"), raw)
		require.NoError(t, json.Unmarshal([]byte(raw), &p))
		require.Equal(t, status, p.Status)
		require.NotEmpty(t, p.RequestID)
	}
	return status, p.Code, raw, header
}

func (b *bundle) roundTrip(t *testing.T, req *http.Request) (int, string, http.Header) {
	t.Helper()
	client := http.Client{Timeout: 10 * time.Second}
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(raw), resp.Header
}
