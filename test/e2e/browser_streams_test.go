package e2e_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	notificationsapi "github.com/atrium-mesh/atrium/services/notifications/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

// streamsOf is JavaScript that opens the live stream both ways at an address each, and notes in window.seen what comes of it.
const streamsOf = `((events, socket) => {
	window.seen = {};
	const es = new EventSource(events);
	es.addEventListener('unread_count', () => { seen.events = 'open' });
	es.onerror = () => { if (es.readyState === EventSource.CLOSED) seen.events = seen.events || 'refused' };
	const ws = new WebSocket(location.origin.replace('http', 'ws') + socket);
	ws.onmessage = e => { if (JSON.parse(e.data).type === 'unread_count') seen.socket = 'open' };
	ws.onclose = () => { seen.socket = seen.socket || 'refused' };
	return true;
})(%q, %q)`

const (
	bothOpen    = `!!window.seen && seen.events === 'open' && seen.socket === 'open'`
	bothRefused = `!!window.seen && seen.events === 'refused' && seen.socket === 'refused'`
)

// TestStreamsOfABrowser: what the reference says of EventSource and WebSocket, in a browser.
func TestStreamsOfABrowser(t *testing.T) {
	t.Parallel()
	m := mesh.Up(t)
	const path = "/api/v1/notifications/stream"
	require.Equal(t, path, notificationsapi.StreamNotifications.Path)
	person, ada := visitor(t, m).SignUp("ada")

	t.Run("with a ticket", func(t *testing.T) { //nolint:paralleltest // one browser at a time
		b := openBrowser(t)
		b.open(m.Origin+"/healthz", "body")
		ticket := func() string {
			a := ada.For(t).Do(client.Request{Method: http.MethodPost, Path: notificationsapi.CreateStreamTicket.Path}).Want(http.StatusCreated)
			return path + "?ticket=" + client.Decode[notificationsapi.StreamTicket](a).Ticket
		}
		one, two := ticket(), ticket()
		evaluate[bool](b, fmt.Sprintf(streamsOf, one, two))
		b.until(bothOpen, "both streams are open")
		evaluate[bool](b, fmt.Sprintf(streamsOf, one, two))
		b.until(bothRefused, "a ticket that was used opens neither")
		evaluate[bool](b, fmt.Sprintf(streamsOf, path+"?access_token="+ada.Access, path+"?access_token="+ada.Access))
		b.until(bothRefused, "an access token in the address opens neither")
	})

	t.Run("with the cookie", func(t *testing.T) { //nolint:paralleltest // one browser at a time
		b := openBrowser(t)
		b.open(m.Origin+"/healthz", "body")
		evaluate[bool](b, fmt.Sprintf(streamsOf, path, path))
		b.until(bothRefused, "nobody gets a stream")
		evaluate[bool](b, fmt.Sprintf(`(() => {
			fetch('/api/v1/auth/login', {method: 'POST', headers: {'Content-Type': 'application/json'},
				body: JSON.stringify({email: %q, password: %q, transport: 'cookie'})}).then(r => { window.signedIn = r.status });
			return true;
		})()`, person.Email, person.Password))
		b.until(`window.signedIn === 200`, "signed in")
		evaluate[bool](b, fmt.Sprintf(streamsOf, path, path))
		b.until(bothOpen, "both streams are open")
		require.Empty(t, evaluate[string](b, `document.cookie`), "no script reads the tokens")
	})
}
