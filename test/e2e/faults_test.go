package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	notificationsapi "github.com/atrium-mesh/atrium/services/notifications/api"
	usersapi "github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

// wantAway fails the test unless the answer says: not now, try again, without a word about why.
func wantAway(t *testing.T, a *client.Answer) {
	t.Helper()
	require.Equal(t, http.StatusServiceUnavailable, a.Status, a.String())
	a.WantProblem(http.StatusServiceUnavailable, a.Problem().Code)
	require.NotEmpty(t, a.Problem().Code)
}

// TestPostgresAway: while PostgreSQL is away everything that needs it is 503, the services say that they are not ready, and when it is
// back all of it works again, without a restart. A process that ends fails the test.
func TestPostgresAway(t *testing.T) {
	t.Parallel()
	m := mesh.Processes(t, mesh.Options{})
	v := visitor(t, m)
	ada, device := v.SignUp("ada")
	_, etag := device.Me()
	late := client.NewPerson("late")

	m.Postgres.Stop()
	for _, name := range []string{"auth", "users", "notifications"} {
		m.Process(name).WaitUnready("postgres")
	}
	body := map[string]string{"email": late.Email, "password": late.Password, "full_name": late.FullName}
	wantAway(t, v.Post(authapi.Register.Path, body))
	wantAway(t, v.Post(authapi.Login.Path, map[string]string{"email": ada.Email, "password": ada.Password}))
	wantAway(t, v.Post(authapi.Refresh.Path, map[string]string{"refresh_token": device.Refresh}))
	wantAway(t, device.Get(usersapi.GetMe.Path))
	wantAway(t, device.Patch(usersapi.UpdateMe.Path, etag, map[string]string{"full_name": "Not Now"}))
	wantAway(t, device.Get(notificationsapi.ListNotifications.Path))
	wantAway(t, device.Post(authapi.Logout.Path, nil))
	v.Get("/openapi.json").Want(http.StatusOK)
	v.WithToken("garbage").Get(usersapi.GetMe.Path).WantProblem(http.StatusUnauthorized, "token_invalid")

	m.Postgres.Start()
	m.WaitReady()
	me, same := device.Me()
	require.Equal(t, ada.FullName, me.FullName)
	require.Equal(t, etag, same, "what was refused was not done")
	device.RefreshTokens()
	_, other := v.SignUp("grace")
	other.Me()
	v.Register(late)
	require.NotEmpty(t, v.ReadMail(late.Email, client.SubjectVerification).Token(t))
}

// TestNATSAway: what needs no other service goes on without NATS, what does is 503, and no event is lost: whoever signs up meanwhile
// gets the mail and the profile when it is back.
func TestNATSAway(t *testing.T) {
	t.Parallel()
	m := mesh.Processes(t, mesh.Options{})
	v, admin := visitor(t, m), administrator(t, m)
	_, device := v.SignUp("ada")
	other := device.Device("e2e/other")
	_, etag := device.Me()

	m.NATS.Stop()
	for _, p := range m.Services() {
		p.WaitUnready("nats")
	}
	device.Patch(usersapi.UpdateMe.Path, etag, map[string]string{"full_name": "Ada King"}).Want(http.StatusOK)
	var people []client.Person
	for i := range 5 {
		people = append(people, v.Register(client.NewPerson(fmt.Sprintf("away%d", i))))
	}
	invited := client.NewPerson("invited")
	create := map[string]string{"email": invited.Email, "full_name": "Grace"}
	wantAway(t, admin.Post(usersapi.CreateUser.Path, create))
	device.Post(authapi.Logout.Path, nil).Want(http.StatusNoContent)
	device.Post(authapi.Refresh.Path, map[string]string{"refresh_token": device.Refresh}).WantProblem(http.StatusUnauthorized, "refresh_token_invalid")

	m.NATS.Start()
	m.WaitReady()
	device.Eventually("the sign-out has arrived", func() bool { return device.Get(usersapi.GetMe.Path).Status == http.StatusUnauthorized })
	for _, p := range people {
		v.Verify(p)
		late := other.Device("e2e/late")
		late.Login(p)
		late.WaitActive()
		require.Equal(t, 1, v.CountMails(p.Email, client.SubjectVerification))
	}
	admin.Post(usersapi.CreateUser.Path, create).Want(http.StatusCreated)
	v.ReadMail(invited.Email, client.SubjectInvitation)
}

// TestServiceAway: a service that is killed, or hangs, takes nothing with it but what it serves.
func TestServiceAway(t *testing.T) {
	t.Parallel()
	m := mesh.Processes(t, mesh.Options{})
	v := visitor(t, m)
	_, device := v.SignUp("ada")
	users, notifications := m.Process("users"), m.Process("notifications")

	users.Kill()
	wantAway(t, device.Get(usersapi.GetMe.Path))
	device.Get(authapi.ListSessions.Path).Want(http.StatusOK)
	device.Get(notificationsapi.ListNotifications.Path).Want(http.StatusOK)
	v.Get("/docs").Want(http.StatusOK)
	users.Start()
	users.WaitReady()
	device.Eventually("users serves again", func() bool { return device.Get(usersapi.GetMe.Path).Status == http.StatusOK })

	users.Pause()
	device.Get(usersapi.GetMe.Path).WantProblem(http.StatusGatewayTimeout, "upstream_timeout")
	device.Get(authapi.ListSessions.Path).Want(http.StatusOK)
	users.Resume()
	device.Eventually("users serves again", func() bool { return device.Get(usersapi.GetMe.Path).Status == http.StatusOK })

	stream := device.WebSocket()
	notifications.Kill()
	stream.WaitEnd()
	p := v.Register(client.NewPerson("grace"))
	notifications.Start()
	notifications.WaitReady()
	v.ReadMail(p.Email, client.SubjectVerification)
	device.Eventually("the stream opens again", func() bool {
		conn, _, err := device.DialWebSocket(http.Header{"Authorization": {"Bearer " + device.Access}}, "")
		return err == nil && conn.CloseNow() == nil
	})
}

// TestMailAway: a mail server that is away is tried again, and no mail is sent twice.
func TestMailAway(t *testing.T) {
	t.Parallel()
	m := mesh.Processes(t, mesh.Options{})
	v, admin := visitor(t, m), administrator(t, m)
	m.Process("inbox").Kill()
	p := v.Register(client.NewPerson("ada"))
	p.ID = admin.FindUser(p)
	path := notificationsapi.ListDeliveries.Path + "?recipient_id=" + p.ID
	delivery := func(state notificationsapi.DeliveryState) bool {
		page := client.Decode[notificationsapi.DeliveryPage](admin.Get(path).Want(http.StatusOK))
		return len(page.Items) == 1 && page.Items[0].State == state
	}
	admin.Eventually("the mail has failed for now", func() bool { return delivery(notificationsapi.DeliveryFailing) })
	m.Process("inbox").Start()
	m.WaitInbox()
	v.ReadMail(p.Email, client.SubjectVerification)
	admin.Eventually("the mail was sent", func() bool { return delivery(notificationsapi.DeliverySent) })
	require.Equal(t, 1, v.CountMails(p.Email, client.SubjectVerification))
}

// TestGracefulStop: a service that is told to stop ends what it has begun, and ends.
func TestGracefulStop(t *testing.T) {
	t.Parallel()
	m := mesh.Processes(t, mesh.Options{Gateways: 2, Replicas: 2})
	v := visitor(t, m)
	_, device := v.SignUp("ada")
	second := device.At(m.Origins[1])
	var group sync.WaitGroup
	stopping := make(chan struct{})
	var mu sync.Mutex
	statuses := map[string]int{}
	for range 4 {
		group.Go(func() {
			for {
				select {
				case <-stopping:
					return
				default:
				}
				a, err := second.Try(t.Context(), client.Request{Method: http.MethodGet, Path: usersapi.GetMe.Path})
				outcome := "no answer"
				if err == nil {
					outcome = fmt.Sprint(a.Status, " ", a.Problem().Code)
				}
				mu.Lock()
				statuses[outcome]++
				mu.Unlock()
			}
		})
	}
	for _, name := range []string{"gateway", "auth", "users", "notifications"} { // those that the second gateway does not call
		m.Process(name).Stop()
	}
	close(stopping)
	group.Wait()
	t.Logf("while half of the processes stopped: %v", statuses)
	require.Equal(t, []string{"200 "}, keysOf(statuses))
	for _, name := range []string{"gateway", "auth", "users", "notifications"} {
		log := m.Process(name).Log()
		require.NotContains(t, log[strings.LastIndex(strings.TrimSpace(log), "\n")+1:], `"level":"ERROR"`, name)
	}
}

func keysOf(m map[string]int) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
