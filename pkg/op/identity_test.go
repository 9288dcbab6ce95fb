package op_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
)

// hops is what a service says of itself: each token once, the last for ever.
type hops struct {
	tokens  []string
	refused []string
}

func (h *hops) Token(context.Context, string) (string, error) {
	next := h.tokens[0]
	if len(h.tokens) > 1 {
		h.tokens = h.tokens[1:]
	}
	return next, nil
}

func (h *hops) Refused(_, raw string) { h.refused = append(h.refused, raw) }

type seenOutput struct {
	Service, IP, Seen, ID string
}

var hopOp = op.Op[empty, seenOutput]{
	Operation: huma.Operation{OperationID: "hop"}, Subject: "rpc.things.hop", Allow: authz.Services("users"),
}

func inner(t *testing.T) (*bundle, func(op.Identity) func(context.Context) (*seenOutput, error)) {
	t.Helper()
	b := setupWith(t, echo, func(s *op.Server) {
		op.Handle(s, hopOp, func(ctx context.Context, _ *empty) (*seenOutput, error) {
			r := request.From(ctx)
			return &seenOutput{Service: authz.ServiceFrom(ctx), IP: r.ClientIP, Seen: r.SeenIP(), ID: r.ID}, nil
		})
	})
	return b, func(identity op.Identity) func(context.Context) (*seenOutput, error) {
		tel := telemetry.Nop()
		call := op.NATSClient(op.NewNATSCaller(b.natsURL.Connect(t), tel.Tracer, tel.Propagator, identity), hopOp)
		return func(ctx context.Context) (*seenOutput, error) { return call(ctx, &empty{}) }
	}
}

func TestServiceHop(t *testing.T) {
	t.Parallel()
	_, by := inner(t)
	ctx := request.With(t.Context(), request.Request{ID: "abc", ClientIP: "192.0.2.7"})

	_, err := by(nil)(ctx)
	require.ErrorIs(t, err, errs.Unauthenticated)
	_, err = by(&hops{tokens: []string{"service notifications"}})(ctx)
	require.ErrorIs(t, err, errs.Forbidden)
	_, err = by(nil)(as(ctx, ada+"+things:write"))
	require.ErrorIs(t, err, errs.Unauthenticated, "a person is no service")

	out, err := by(&hops{tokens: []string{"service users"}})(ctx)
	require.NoError(t, err)
	require.Equal(t, &seenOutput{Service: "users", IP: "192.0.2.7", ID: "abc"}, out, "what another service passes on decides nothing")
}

func TestServiceTokenThatIsNotBelieved(t *testing.T) {
	t.Parallel()
	_, by := inner(t)
	renewed := &hops{tokens: []string{"old", "service users"}}
	out, err := by(renewed)(t.Context())
	require.NoError(t, err, "another one is asked for")
	require.Equal(t, "users", out.Service)
	require.Equal(t, []string{"old"}, renewed.refused)

	lost := &hops{tokens: []string{"old"}}
	_, err = by(lost)(t.Context())
	require.ErrorIs(t, err, errs.Unavailable)
	require.NotEqual(t, authz.CodeServiceRefused, errs.From(err).Code, "whoever called us must not take it for a refusal of their own")
	require.Equal(t, []string{"old", "old"}, lost.refused)
}

// TestServiceTokensThatAreNotBelieved: as many as one likes say nothing of the service that refuses them.
func TestServiceTokensThatAreNotBelieved(t *testing.T) {
	t.Parallel()
	_, by := inner(t)
	withdrawn := make([]string, 2*20) // each is asked for twice
	for i := range withdrawn {
		withdrawn[i] = "old"
	}
	identity := &hops{tokens: append(withdrawn, "service users")}
	call := by(identity)
	for range 20 {
		_, err := call(t.Context())
		require.ErrorIs(t, err, errs.Unavailable)
	}
	require.Len(t, identity.refused, 40, "the service was asked each time")
	out, err := call(t.Context())
	require.NoError(t, err, "the new token works at once")
	require.Equal(t, "users", out.Service)
}

// TestClientOfStrangers: what a message says of the client is believed from services alone.
func TestClientOfStrangers(t *testing.T) {
	t.Parallel()
	b := setup(t, echo)
	send := func(service string) (int, string, http.Header) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, b.url+"/api/v1/things/"+ada, strings.NewReader(good))
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+ada)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set(op.HeaderClientIP, "192.0.2.7")
		req.Header.Set(op.HeaderRequestID, "chosen")
		if service != "" {
			req.Header.Set(op.HeaderService, service)
		}
		return b.roundTrip(t, req)
	}
	status, body, header := send("service gateway")
	require.Equal(t, http.StatusOK, status, body)
	require.Contains(t, body, `"ip":"192.0.2.7"`)
	require.Equal(t, "chosen", header.Get(op.HeaderRequestID))

	status, body, header = send("")
	require.Equal(t, http.StatusOK, status, body)
	require.Contains(t, body, `"ip":"127.0.0.1"`, "that of the connection")
	require.NotEqual(t, "chosen", header.Get(op.HeaderRequestID))

	status, body, header = send("nonsense")
	require.Equal(t, http.StatusServiceUnavailable, status, body)
	require.Equal(t, "true", header.Get(op.HeaderServiceRefused))
	require.Contains(t, body, authz.CodeServiceRefused)
}
