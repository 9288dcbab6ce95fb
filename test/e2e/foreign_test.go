package e2e_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	notificationsapi "github.com/atrium-mesh/atrium/services/notifications/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

// TestForeignThings: where the policy only asks for a token, what is somebody else's does not exist, and stays as it is.
func TestForeignThings(t *testing.T) {
	t.Parallel()
	m := mesh.Processes(t, mesh.Options{EnvOf: map[string]string{"auth.REQUIRE_VERIFIED_EMAIL": "false"}})
	root := administrator(t, m)
	people := newCast(t, m, root)
	ada, bob := people.user, people.victim
	root.Post(notificationsapi.SendNotification.Path, map[string]any{
		"to": map[string]any{"user_ids": []string{ada.person.ID}}, "category": "product", "title": "For Ada", "body": "b",
	}).Want(http.StatusAccepted)
	notifications := func() []notificationsapi.Notification {
		return client.Decode[notificationsapi.NotificationPage](ada.device.Get(notificationsapi.ListNotifications.Path).Want(http.StatusOK)).Items
	}
	ada.device.Eventually("the notification is there", func() bool { return len(notifications()) > 0 })
	sessions := func() []authapi.Session {
		return client.Decode[authapi.SessionPage](ada.device.Get(authapi.ListSessions.Path).Want(http.StatusOK)).Items
	}
	theirs, session := notifications(), sessions()[0].ID

	for _, other := range []member{bob, people.support, people.admin} {
		other.device.Post("/api/v1/notifications/"+theirs[0].ID.String()+"/read", nil).
			WantProblem(http.StatusNotFound, "notification_not_found")
		other.device.Post(notificationsapi.ReadAllNotifications.Path, map[string]string{"up_to": theirs[0].ID.String()}).
			WantProblem(http.StatusNotFound, "notification_not_found")
		other.device.Delete("/api/v1/auth/sessions/"+session).WantProblem(http.StatusNotFound, "session_not_found")
		other.device.Delete("/api/v1/users/"+other.person.ID+"/sessions/"+session).WantProblem(http.StatusNotFound, "session_not_found")
		for _, own := range client.Decode[notificationsapi.NotificationPage](other.device.Get(notificationsapi.ListNotifications.Path).Want(http.StatusOK)).Items {
			require.NotEqual(t, theirs[0].ID, own.ID)
		}
	}
	require.Equal(t, theirs, notifications())
	require.Equal(t, session, sessions()[0].ID)
}
