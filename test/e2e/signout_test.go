package e2e_test

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	usersapi "github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

const (
	promised  = time.Second     // from signing out to being refused everywhere
	polled    = 2 * time.Second // the same when no announcement arrives: verifiers ask twice a second
	rounds    = 10
	tightLoop = time.Millisecond
)

// ending is a way in which a person's sessions end: what is done, at the first gateway.
type ending struct {
	name   string
	do     func(w *signOut)
	code   string   // with which the access token is refused; "": token_revoked
	closes []string // how the WebSocket may end
}

// signOut is one person with a session that two clients use, one at each gateway; the second has both kinds of stream open.
type signOut struct {
	t             *testing.T
	admin         *client.Client
	person        client.Person
	first, second *client.Client
	other         *client.Client // another session of the person, at the first gateway
}

// TestSignOut: what is ended at one gateway is refused at the other within a second, and its streams there close. It does not run
// beside other tests, since it measures.
func TestSignOut(t *testing.T) { //nolint:paralleltest // it measures
	m := mesh.Processes(t, mesh.Options{Gateways: 2})
	for _, e := range []ending{ //nolint:paralleltest // likewise
		{name: "sign out", do: func(w *signOut) { w.first.Post(authapi.Logout.Path, nil).Want(http.StatusNoContent) }},
		{name: "sign out everywhere", do: func(w *signOut) { w.other.Post(authapi.LogoutAll.Path, nil).Want(http.StatusNoContent) }},
		{name: "session revoked", do: func(w *signOut) { w.other.Delete("/api/v1/auth/sessions/" + w.session()).Want(http.StatusNoContent) }},
		{name: "password changed", do: func(w *signOut) {
			body := map[string]string{"current_password": w.person.Password, "new_password": "eleven quiet " + w.person.ID}
			w.other.Post(authapi.ChangePassword.Path, body).Want(http.StatusNoContent)
		}},
		{name: "user deactivated", do: func(w *signOut) {
			w.admin.Post("/api/v1/users/"+w.person.ID+"/deactivate", nil).Want(http.StatusOK)
		}},
		{name: "roles changed", do: func(w *signOut) {
			w.admin.Put("/api/v1/users/"+w.person.ID+"/roles", map[string]any{"roles": []string{"support"}}).Want(http.StatusOK)
		}},
		{name: "signing keys withdrawn", code: "token_invalid", do: func(w *signOut) {
			w.admin.Post(authapi.RotateKeys.Path, map[string]any{"compromised": true}).Want(http.StatusOK)
		}},
	} {
		t.Run(e.name, func(t *testing.T) {
			e.closes = []string{"4401"}
			measure(t, m, e, rounds, promised)
		})
	}
}

// TestSignOutUnannounced: when no announcement arrives, verifiers learn of it all the same, by asking.
func TestSignOutUnannounced(t *testing.T) { //nolint:paralleltest // it measures
	m := mesh.Processes(t, mesh.Options{Gateways: 2, Deaf: []string{"gateway-2", "users", "notifications"}})
	measure(t, m, ending{
		name: "sign out, announcements lost", do: func(w *signOut) { w.first.Post(authapi.Logout.Path, nil).Want(http.StatusNoContent) },
		closes: []string{"4401", "eof"}, // the gateway may ask sooner than the service, and cuts the line
	}, 3, polled)
}

func measure(t *testing.T, m *mesh.Mesh, e ending, rounds int, limit time.Duration) {
	t.Helper()
	delays := map[string][]time.Duration{}
	for range rounds {
		for what, delay := range newSignOut(t, m).ends(e) {
			delays[what] = append(delays[what], delay)
		}
	}
	for _, what := range []string{"refused", "WebSocket closed", "SSE ended"} {
		slices.Sort(delays[what])
		line := fmt.Sprintf("sign-out delay at the other gateway: %-30s %-18s median %8v  most %8v  of %d",
			e.name, what, delays[what][rounds/2].Round(100*time.Microsecond), delays[what][rounds-1].Round(100*time.Microsecond), rounds)
		fmt.Fprintln(os.Stdout, line)
		require.Less(t, delays[what][rounds-1], limit, line)
	}
}

func newSignOut(t *testing.T, m *mesh.Mesh) *signOut {
	t.Helper()
	v := visitor(t, m)
	w := &signOut{t: t, admin: administrator(t, m)}
	w.person, w.first = v.SignUp("ada")
	w.second = w.first.At(m.Origins[1])
	w.other = w.first.Device(w.first.Agent)
	w.other.Login(w.person)
	return w
}

// session is the id of the session that ends.
func (w *signOut) session() string {
	w.t.Helper()
	for _, s := range client.Decode[authapi.SessionPage](w.first.Get(authapi.ListSessions.Path).Want(http.StatusOK)).Items {
		if s.Current {
			return s.ID
		}
	}
	require.Fail(w.t, "no current session")
	return ""
}

// ends ends the session and returns how long it took from the request that did it until the other gateway knew.
func (w *signOut) ends(e ending) map[string]time.Duration {
	w.t.Helper()
	socket, events := w.second.WebSocket(), w.second.Events("")
	socket.Wait("unread_count")
	events.Wait("unread_count")
	w.second.Get(usersapi.GetMe.Path).Want(http.StatusOK)
	if e.name == "session revoked" {
		w.session() // asked before the clock runs
	}
	refused := make(chan time.Time, 1)
	go w.watch(refused)
	begin := time.Now()
	e.do(w)
	closed, how := socket.WaitEnd()
	require.Contains(w.t, e.closes, how)
	ended, _ := events.WaitEnd()
	at := <-refused
	w.second.Get(usersapi.GetMe.Path).WantProblem(http.StatusUnauthorized, cmp.Or(e.code, "token_revoked"))
	return map[string]time.Duration{"refused": at.Sub(begin), "WebSocket closed": closed.Sub(begin), "SSE ended": ended.Sub(begin)}
}

// watch asks the other gateway again and again, and says when it refused for the first time.
func (w *signOut) watch(refused chan<- time.Time) {
	ticker := time.NewTicker(tightLoop)
	defer ticker.Stop()
	deadline := time.Now().Add(client.Within)
	for time.Now().Before(deadline) {
		a, err := w.second.Try(w.t.Context(), client.Request{Method: http.MethodGet, Path: usersapi.GetMe.Path})
		if err == nil && a.Status == http.StatusUnauthorized {
			break
		}
		<-ticker.C
	}
	refused <- time.Now()
}
