package e2e_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/e2e/collector"
	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

// wayOfTheMail is from the gateway to the mail server's answer, each span the child of the one before it.
var wayOfTheMail = []string{
	"gateway server POST /api/v1/auth/register",
	"gateway client register",
	"auth server register",
	"auth producer publish auth.account.registered.v1",
	"notifications consumer process auth.account.registered.v1",
	"notifications consumer job deliver",
	"notifications client send-link",
	"auth server send-link",
	"auth client smtp send",
}

// besides is what else belongs to the trace of a sign-up, with the way that it hangs on.
var besides = [][]string{
	{"gateway server POST /api/v1/auth/register", "gateway client register", "auth server register", "auth producer publish auth.account.registered.v1", "users consumer process auth.account.registered.v1"},
	append(slices.Clone(wayOfTheMail[:6]), "notifications client announce-link", "auth server announce-link"),
}

// TestSpanTree: a sign-up is one trace, from the gateway's server span to the mail that the SMTP server accepted. The trace that the client
// names is linked to it, and does not become it.
func TestSpanTree(t *testing.T) {
	t.Parallel()
	received := collector.Start(t)
	m := mesh.Processes(t, mesh.Options{OTLP: received.URL})
	c := visitor(t, m)
	ada := client.NewPerson("ada")
	strange := strings.ReplaceAll(uuid.Must(uuid.NewV7()).String(), "-", "")
	c.Do(client.Request{
		Method: http.MethodPost, Path: authapi.Register.Path, Header: http.Header{"Traceparent": {"00-" + strange + "-00f067aa0ba902b7-00"}}, // and asks that nothing be recorded
		Body: map[string]string{"email": ada.Email, "password": ada.Password, "full_name": ada.FullName},
	}).Want(http.StatusAccepted)
	c.Verify(ada)

	var traceID string
	c.Eventually("the gateway's span is there", func() bool { traceID = received.Linked(strange); return traceID != "" })
	require.Empty(t, received.Trace(strange), "nothing is written into a stranger's trace")

	var trace collector.Trace
	has := func(want []string) bool {
		return slices.ContainsFunc(trace, func(s collector.Span) bool { return slices.Equal(trace.Line(s), want) })
	}
	complete := func() bool {
		trace = received.Trace(traceID)
		return has(wayOfTheMail) && !slices.ContainsFunc(besides, func(want []string) bool { return !has(want) })
	}
	defer func() { t.Logf("the trace of a sign-up, %d spans:\n%s", len(trace), trace) }()
	c.Eventually("the trace is complete", complete)

	require.Len(t, trace.Find("auth", "smtp send"), 1, "one mail")
	require.Empty(t, trace.Find("notifications", "smtp send"), "whose link notifications never has")
	for _, s := range trace {
		require.False(t, s.Failed, "%s of %s failed", s.Name, s.Service)
		require.Equal(t, traceID, s.TraceID)
	}
	require.NotEmpty(t, slices.DeleteFunc(trace.Clone(), func(s collector.Span) bool {
		return s.Attributes["db.system.name"] == "" && s.Attributes["db.system"] == ""
	}),
		"queries are spans, too")
	for _, s := range received.All() {
		for name, value := range s.Attributes {
			require.NotContains(t, value, "@atrium.example", "%s of %s: %s is personal", s.Name, s.Service, name)
			require.NotContains(t, value, "eleven quiet", "%s of %s: %s is secret", s.Name, s.Service, name)
			require.NotContains(t, value, "token=", "%s of %s: %s is secret", s.Name, s.Service, name)
		}
	}
}
