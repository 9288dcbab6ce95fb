package e2e_test

import (
	"net/http"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	notificationsapi "github.com/atrium-mesh/atrium/services/notifications/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

// TestStreamTickets: a ticket opens the live stream, once, as whoever asked for it, and not after they have signed out. An access token
// in an address opens nothing.
func TestStreamTickets(t *testing.T) {
	t.Parallel()
	m := mesh.Processes(t, mesh.Options{})
	c := visitor(t, m)
	_, ada := c.SignUp("ada")
	anybody := visitor(t, m)
	ticket := func() string {
		t.Helper()
		answer := ada.Do(client.Request{Method: http.MethodPost, Path: notificationsapi.CreateStreamTicket.Path}).Want(http.StatusCreated)
		require.Equal(t, "no-store", answer.Header.Get("Cache-Control"))
		return client.Decode[notificationsapi.StreamTicket](answer).Ticket
	}
	refused := func(query, code string) {
		t.Helper()
		anybody.Get(notificationsapi.StreamNotifications.Path+query).WantProblem(http.StatusUnauthorized, code)
		_, response, err := anybody.DialWebSocket(nil, query)
		require.Error(t, err)
		require.Equal(t, http.StatusUnauthorized, response.StatusCode)
	}

	first := ticket()
	conn, _, err := anybody.DialWebSocket(nil, "?ticket="+first)
	require.NoError(t, err)
	_, greeting, err := conn.Read(t.Context())
	require.NoError(t, err)
	require.Contains(t, string(greeting), `"unread_count"`)
	require.NoError(t, conn.Close(websocket.StatusNormalClosure, ""))
	refused("?ticket="+first, "ticket_invalid")
	refused("?ticket=3q2-7wECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxw", "ticket_invalid")
	refused("?ticket=x", "ticket_invalid")
	refused("?access_token="+ada.Access, "token_in_url")
	refused("?last_event_id=&access%5Ftoken="+ada.Access, "token_in_url")

	anybody.Do(client.Request{Method: http.MethodPost, Path: notificationsapi.CreateStreamTicket.Path}).
		WantProblem(http.StatusUnauthorized, "token_missing")

	last := ticket()
	ada.Do(client.Request{Method: http.MethodPost, Path: authapi.Logout.Path})
	ada.Eventually("the session is over", func() bool { return ada.Get("/api/v1/users/me").Status == http.StatusUnauthorized })
	refused("?ticket="+last, "token_revoked")
}
