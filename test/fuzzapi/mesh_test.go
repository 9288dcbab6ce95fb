package fuzzapi_test

import (
	"context"
	"flag"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/e2e/mesh"
	"github.com/atrium-mesh/atrium/test/fuzzapi"
)

var (
	requests = flag.Int("requests", 400, "how many requests are sent")
	seed     = flag.Uint64("seed", 0, "what the requests come from; 0: the time")
)

// TestMeshKeepsItsContract sends requests for every operation to a whole mesh.
func TestMeshKeepsItsContract(t *testing.T) {
	t.Parallel()
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("to repeat this run: make fuzz-api REQUESTS=%d SEED=%d", *requests, *seed)
	m := mesh.Up(t)
	door := client.New(t, client.Door{Gateway: m.Origin, Inbox: m.Inbox})
	root := door.Device("fuzzapi/root")
	callers := &accounts{t: t, door: door, root: root, now: map[string]*account{}}
	callers.signInRoot()
	me, _ := root.Me()
	for _, who := range fuzzapi.Whos[1:] {
		callers.replace(who)
	}
	report, err := fuzzapi.Run(t.Context(), fuzzapi.Options{
		Origin: m.Origin, Contract: contract(t, m.Origin), Callers: callers, Private: []string{me.ID}, Seed: *seed, Requests: *requests,
		Client: &http.Client{
			Transport:     newFromAnywhere(t),
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	})
	require.NoError(t, err)
	t.Logf("%d requests; answers: %v; accepted: %v", report.Sent, report.Statuses, report.Accepted)
	for _, f := range report.Findings {
		t.Errorf("%s (%d times)\n  %s\n  %s", f.Fault, f.Times, f.Request, f.Answer)
	}
	require.NotEmpty(t, report.Accepted, "nothing was accepted: the requests are no good")
}

// fromAnywhere sends from one address of this machine after the other, where there is more than one: whoever guesses too often is made to
// wait at their address. That would be all that is learnt of the operations that take passwords, and keep the accounts from signing in.
type fromAnywhere struct {
	*http.Transport
	sent int
}

const perAddress = 10 // requests; auth lets an address fail 20 times

func newFromAnywhere(t *testing.T) *fromAnywhere {
	t.Helper()
	f := &fromAnywhere{Transport: &http.Transport{}}
	t.Cleanup(f.CloseIdleConnections)
	if runtime.GOOS != "linux" { // which alone has all of 127.0.0.0/8
		return f
	}
	f.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		n := f.sent / perAddress
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1, byte(n>>8), byte(n))}}
		return dialer.DialContext(ctx, network, address)
	}
	return f
}

// RoundTrip is http.RoundTripper's. There is one request at a time.
func (f *fromAnywhere) RoundTrip(r *http.Request) (*http.Response, error) {
	if f.sent++; f.sent%perAddress == 0 {
		f.CloseIdleConnections()
	}
	return f.Transport.RoundTrip(r)
}

func contract(t *testing.T, origin string) *fuzzapi.Contract {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, origin+"/openapi.json", nil)
	require.NoError(t, err)
	response, err := (&http.Client{Timeout: 10 * time.Second}).Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	c, err := fuzzapi.ReadContract(raw)
	require.NoError(t, err)
	c.Hidden = map[string][]string{"/api/v1/notifications/unsubscribe": {http.MethodGet, http.MethodHead}}
	return c
}

// accounts are throw-away accounts, one for each caller. The mesh's first administrator makes them and is never used for requests.
type accounts struct {
	t          *testing.T
	door, root *client.Client
	now        map[string]*account
	made       int
}

type account struct {
	person client.Person
	device *client.Client
}

var roleOf = map[string]string{"user": authapi.RoleUser, "support": authapi.RoleSupport, "administrator": authapi.RoleAdmin}

func (a *accounts) Token(who string) string {
	if of := a.now[who]; of != nil {
		return of.device.Access
	}
	return ""
}

// Renew signs in again, or makes another account when that is refused or the account is not what it was.
func (a *accounts) Renew(who string) {
	a.t.Helper()
	of := a.now[who]
	answer := a.door.Post(authapi.Login.Path, map[string]string{"email": of.person.Email, "password": of.person.Password})
	if answer.Status != http.StatusOK {
		a.replace(who)
		return
	}
	of.device.Access = client.Decode[authapi.Tokens](answer).AccessToken
	roles := of.device.Get("/api/v1/users/" + of.person.ID + "/roles")
	if roles.Status != http.StatusOK || !slices.Equal(client.Decode[authapi.UserRoles](roles).Roles, []string{roleOf[who]}) {
		a.replace(who)
	}
}

func (a *accounts) replace(who string) {
	a.t.Helper()
	a.made++
	person, device := a.door.SignUp("fuzz" + strconv.Itoa(a.made))
	a.signInRoot()
	path := "/api/v1/users/" + person.ID + "/roles"
	a.root.Put(path, map[string]any{"roles": []string{roleOf[who]}}).Want(http.StatusOK)
	device.Login(person)
	a.now[who] = &account{person, device}
}

func (a *accounts) signInRoot() {
	a.t.Helper()
	a.root.Login(client.Person{Email: mesh.AdminEmail, Password: mesh.AdminPassword})
	a.root.WaitActive()
}
