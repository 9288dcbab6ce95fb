package e2e_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	notificationsapi "github.com/atrium-mesh/atrium/services/notifications/api"
	usersapi "github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

// TestReplicas: with two of each service a person's streams at both get everything once, whichever replica was asked, and when one half
// is killed the other goes on: reading, signing up, mails.
func TestReplicas(t *testing.T) {
	t.Parallel()
	m := mesh.Processes(t, mesh.Options{Gateways: 2, Replicas: 2})
	admin := administrator(t, m)
	p, first := visitor(t, m).SignUp("ada")
	second := first.At(m.Origins[1])
	streams := []*client.Stream{first.WebSocket(), second.WebSocket(), second.Events("")}
	for _, s := range streams {
		s.Wait("unread_count")
	}
	titles := []string{"one", "two", "three", "four"}
	for i, title := range titles {
		admin.At(m.Origins[i%2]).Post(notificationsapi.SendNotification.Path, map[string]any{
			"to": map[string]any{"user_ids": []string{p.ID}}, "category": "product", "title": title, "body": "b", "channels": []string{"in_app"},
		}).Want(http.StatusAccepted)
		for _, s := range streams {
			require.Equal(t, title, s.WaitNotification().Title)
		}
	}

	for _, name := range []string{"auth", "users", "notifications"} {
		m.Process(name).Kill()
	}
	me, etag := second.Me()
	require.Equal(t, p.FullName, me.FullName)
	second.Patch(usersapi.UpdateMe.Path, etag, map[string]string{"full_name": "Ada King"}).Want(http.StatusOK)
	visitor(t, m).At(m.Origins[1]).SignUp("grace")
	second.RefreshTokens()

	for _, name := range []string{"auth", "users", "notifications"} {
		m.Process(name).Start()
	}
	m.WaitReady()
	first.Eventually("the first half serves again", func() bool { return first.Get(usersapi.GetMe.Path).Status == http.StatusOK })
	me, _ = first.Me()
	require.Equal(t, "Ada King", me.FullName)
}
