package e2e_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	notificationsapi "github.com/atrium-mesh/atrium/services/notifications/api"
	usersapi "github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
)

// usesNobodysHop has the administrator's token, as every service has that was asked something by them, and calls what is for the hops of
// other services: with its own user of NATS, and with one of a service that NATS lets through. The second is what the policy alone must
// refuse.
func (i *intruder) usesNobodysHop() {
	tried := 0
	for _, o := range slices.Concat(authapi.Operations(), usersapi.Operations(), notificationsapi.Operations()) {
		m := o.Meta()
		hops := m.Allow.Services()
		if len(hops) == 0 || slices.Contains(hops, i.service) {
			continue
		}
		tried++
		require.False(i, i.allowed(func() error { return i.conn.Publish(m.Subject, []byte("{}")) }), "%s: NATS lets %s through", m.ID, i.service)
		for _, token := range []string{"", i.admin.Access} {
			err := i.callAs(breakIn(i.T, i.mesh, hops[0]).conn, m.Subject, token)
			require.ErrorIs(i, err, errs.Forbidden, "%s by %s", m.ID, i.service)
		}
	}
	require.Positive(i, tried)
}

// callAs calls over somebody's connection, with the intruder's own identity and a person's token.
func (i *intruder) callAs(conn *nats.Conn, subject, token string) error {
	own, err := i.Token(i.Context(), strings.Split(subject, ".")[1])
	require.NoError(i, err)
	msg := nats.NewMsg(subject)
	msg.Data = []byte("{}")
	msg.Header.Set(op.HeaderService, own)
	if token != "" {
		msg.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := conn.RequestMsgWithContext(i.soon(), msg)
	require.NoError(i, err)
	refusal := answer.Header.Get("Atrium-Error")
	require.NotEmpty(i, refusal, "it was answered: %s", answer.Data)
	return errs.Decode(refusal)
}

// speaksForClientsAlone: the gateway says which address and which request a client has, since nobody else sees it. Nothing else follows
// from its word: it is no person, and where a mail goes or a link leads does not depend on it.
func (i *intruder) speaksForClientsAlone() {
	const address, id = "198.51.100.99", "of-the-gateway"
	own, err := i.Token(i.Context(), "auth")
	require.NoError(i, err)
	says := func(more http.Header) http.Header {
		h := http.Header{
			op.HeaderService:    {own},
			op.HeaderClientIP:   {address},
			op.HeaderRequestID:  {id},
			"Origin":            {"https://evil.example"},
			"Forwarded":         {"host=evil.example;proto=https"},
			"X-Forwarded-Host":  {"evil.example"},
			"X-Forwarded-Proto": {"https"},
		}
		maps.Copy(h, more)
		return h
	}
	v := visitor(i.T, i.mesh)
	hedy, hers := v.SignUp("Hedy")
	direct := v.At(i.mesh.Process("auth").URL)

	// Its right: the trail has the address and the request that it says.
	wrong := map[string]string{"email": hedy.Email, "password": "eleven quiet guesses"}
	direct.Do(client.Request{
		Method: http.MethodPost,
		Path:   authapi.Login.Path,
		Body:   wrong,
		Header: says(nil),
	}).WantProblem(http.StatusUnauthorized, "invalid_credentials")
	require.True(i, slices.ContainsFunc(trail(i.admin, "session.started").Items, func(e authapi.AuditEntry) bool {
		return e.Outcome == "failure" && e.IP == address && e.RequestID == id
	}), "the gateway's word on the client is believed")

	// It is nobody: neither who it says that the client is, nor, with somebody's token, more than they are.
	roles := "/api/v1/users/" + hedy.ID + "/roles"
	for _, who := range []http.Header{
		nil,
		{"Authorization": {"Bearer " + own}},
		{"X-Atrium-Subject": {i.adminID}, "X-Atrium-User": {i.adminID}, "X-Atrium-Roles": {"admin"}, "X-User-Id": {i.adminID}},
		{"Cookie": {authapi.CookieAccess + "=" + i.admin.Access}}, // the gateway's to read; a service knows the field alone
	} {
		direct.Do(makeAdmin(roles, says(who))).Want(http.StatusUnauthorized)
	}
	direct.Do(makeAdmin(roles, says(http.Header{"Authorization": {"Bearer " + hers.Access}}))).Want(http.StatusForbidden)

	// A mail that it asks for, as anybody may, goes to its owner and leads to where auth says: ReadMail looks.
	direct.Do(client.Request{
		Method: http.MethodPost,
		Path:   authapi.ForgotPassword.Path,
		Body:   map[string]string{"email": hedy.Email},
		Header: says(nil),
	}).Want(http.StatusAccepted)
	mail := v.ReadMail(hedy.Email, client.SubjectReset)
	require.NotContains(i, mail.Text+mail.HTML, "evil.example")

	// A ticket that it has not been shown opens nothing.
	_, err = op.NATSClient(i.caller, notificationsapi.RedeemStreamTicket)(i.soon(), &notificationsapi.RedeemStreamTicketRequest{
		Ticket: strings.Repeat("A", 43),
	})
	require.ErrorIs(i, err, errs.Unauthenticated)
}

func makeAdmin(path string, header http.Header) client.Request {
	return client.Request{
		Method: http.MethodPut,
		Path:   path,
		Body:   map[string]any{"roles": []string{"admin"}},
		Header: header,
	}
}
