package e2e_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	notificationsapi "github.com/atrium-mesh/atrium/services/notifications/api"
	usersapi "github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

// TestStory is one person's way through Atrium, and an administrator's, at separate processes and at `atrium up` alike.
func TestStory(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, m *mesh.Mesh) {
		s := &story{T: t, visitor: visitor(t, m), admin: administrator(t, m)}
		s.signsUp()
		s.changesTheProfile()
		s.isNotified()
		s.choosesWhatToHear()
		s.signsInElsewhere()
		s.changesThePassword()
		s.forgetsThePassword()
		s.keepsCookies()
		s.isSignedOutByAThief()
		s.saysItWasNotMe()
		s.invites()
		s.givesRoles()
		s.keepsSomebodyOut()
		s.deletes()
		s.readsTheTrail()
		s.readsTheReference()
		s.signsOutEverywhere()
	})
}

// story is what the steps know of each other.
type story struct {
	*testing.T
	visitor, admin *client.Client

	ada    client.Person
	laptop *client.Client // Ada's first device
	phone  *client.Client // her second

	grace  client.Person // whom the administrator invites
	office *client.Client
}

// signsUp: register, read the mail, verify, sign in. Until the address is verified nobody gets in, and afterwards a profile is there.
func (s *story) signsUp() {
	s.ada = s.visitor.Register(client.NewPerson("ada"))
	s.visitor.Post(authapi.Register.Path, map[string]string{"email": s.ada.Email, "password": client.Password, "full_name": "Somebody Else"}).
		Want(http.StatusAccepted) // which tells nothing
	s.laptop = s.visitor.Device("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	credentials := map[string]string{"email": s.ada.Email, "password": s.ada.Password}
	s.laptop.Post(authapi.Login.Path, credentials).WantProblem(http.StatusUnauthorized, "invalid_credentials")

	mail := s.visitor.ReadMail(s.ada.Email, client.SubjectVerification)
	page := s.visitor.Get(mail.Link(s).RequestURI()).Want(http.StatusOK)
	require.Contains(s, page.Header.Get("Content-Type"), "text/html")
	require.Contains(s, page.Header.Get("Content-Security-Policy"), "nonce-")
	s.laptop.Post(authapi.Login.Path, credentials).WantProblem(http.StatusUnauthorized, "invalid_credentials") // opening a link redeems nothing
	token := map[string]string{"token": mail.Token(s), "password": s.ada.Password}
	s.visitor.Post(authapi.VerifyEmail.Path, token).Want(http.StatusNoContent)
	s.visitor.Post(authapi.VerifyEmail.Path, token).WantProblem(http.StatusUnprocessableEntity, "link_used")

	tokens := s.laptop.Login(s.ada)
	require.Empty(s, tokens.Scope, "a user has no permission")
	me := s.laptop.WaitActive()
	s.ada.ID = s.laptop.Subject()
	require.Equal(s, s.ada.ID, me.ID)
	require.Equal(s, s.ada.FullName, me.FullName)
	require.Equal(s, s.ada.Email, me.Email)
	require.True(s, me.EmailVerified)
	require.Equal(s, []string{"user"}, me.Roles)
	s.visitor.ReadMail(s.ada.Email, client.SubjectWelcome)
	require.Equal(s, 1, s.visitor.CountMails(s.ada.Email, client.SubjectVerification))
}

// changesTheProfile: with the newest version only.
func (s *story) changesTheProfile() {
	_, etag := s.laptop.Me()
	a := s.laptop.Patch(usersapi.UpdateMe.Path, etag, map[string]string{"full_name": "Ada King", "time_zone": "Europe/London"}).Want(http.StatusOK)
	require.NotEqual(s, etag, a.ETag())
	s.laptop.Patch("/api/v1/users/"+s.ada.ID, etag, map[string]string{"full_name": "Too Late"}).
		WantProblem(http.StatusPreconditionFailed, "version_conflict")
	me, newest := s.laptop.Me()
	require.Equal(s, "Ada King", me.FullName)
	require.Equal(s, "Europe/London", me.TimeZone)
	require.Equal(s, a.ETag(), newest)
	require.NotNil(s, me.LastSignInAt)
}

// isNotified: what an administrator sends arrives at once on both kinds of stream, is listed, counted and read.
func (s *story) isNotified() {
	s.laptop.Post(notificationsapi.SendNotification.Path, s.message("Not allowed", s.ada.ID)).WantProblem(http.StatusForbidden, "permission_denied")
	s.laptop.Get(notificationsapi.ListNotifications.Path).Want(http.StatusOK)
	socket, events := s.laptop.WebSocket(), s.laptop.Events("")
	before := s.unread(s.laptop)
	socket.WaitUnread(before)
	events.WaitUnread(before)

	send := s.admin.Do(client.Request{
		Method: http.MethodPost, Path: notificationsapi.SendNotification.Path, Body: s.message("Planned maintenance", s.ada.ID),
		Header: http.Header{"Idempotency-Key": {"maintenance-" + s.ada.ID}},
	}).Want(http.StatusAccepted)
	live := socket.WaitNotification()
	require.Equal(s, "Planned maintenance", live.Title)
	require.Equal(s, live.ID, events.WaitNotification().ID)
	socket.WaitUnread(before + 1)
	events.WaitUnread(before + 1)
	s.visitor.ReadMail(s.ada.Email, "Planned maintenance")

	list := client.Decode[notificationsapi.NotificationPage](s.laptop.Get(notificationsapi.ListNotifications.Path + "?unread=true").Want(http.StatusOK))
	require.Equal(s, live.ID, list.Items[0].ID)
	read := s.laptop.Post("/api/v1/notifications/"+live.ID.String()+"/read", nil).Want(http.StatusOK)
	require.NotNil(s, client.Decode[notificationsapi.Notification](read).ReadAt)
	socket.WaitUnread(before)
	s.laptop.Post(notificationsapi.ReadAllNotifications.Path, nil).Want(http.StatusOK)
	require.Zero(s, s.unread(s.laptop))

	s.admin.Eventually("the send is done", func() bool {
		state := client.Decode[notificationsapi.NotificationSend](s.admin.Get(send.Header.Get("Location")).Want(http.StatusOK))
		return state.State == notificationsapi.SendSent && state.Counts.Notified == 1
	})
	again := s.admin.Do(client.Request{
		Method: http.MethodPost, Path: notificationsapi.SendNotification.Path, Body: s.message("Planned maintenance", s.ada.ID),
		Header: http.Header{"Idempotency-Key": {"maintenance-" + s.ada.ID}},
	}).Want(http.StatusAccepted)
	require.Equal(s, send.Header.Get("Location"), again.Header.Get("Location"))
	s.nothingIsMissed(live.ID.String())
}

// nothingIsMissed: a stream that comes back gets what came meanwhile.
func (s *story) nothingIsMissed(last string) {
	s.admin.Post(notificationsapi.SendNotification.Path, s.message("While you were away", s.ada.ID)).Want(http.StatusAccepted)
	s.laptop.Eventually("the notification is listed", func() bool {
		list := client.Decode[notificationsapi.NotificationPage](s.laptop.Get(notificationsapi.ListNotifications.Path).Want(http.StatusOK))
		return len(list.Items) > 0 && list.Items[0].Title == "While you were away"
	})
	require.Equal(s, "While you were away", s.laptop.Events(last).WaitNotification().Title)
	s.laptop.Post(notificationsapi.ReadAllNotifications.Path, nil).Want(http.StatusOK)
}

// choosesWhatToHear: preferences hold for what is sent afterwards, and security cannot be turned off.
func (s *story) choosesWhatToHear() {
	a := s.laptop.Get(notificationsapi.GetPreferences.Path).Want(http.StatusOK)
	preferences := client.Decode[notificationsapi.NotificationPreferences](a)
	at := slices.IndexFunc(preferences.Categories, func(c notificationsapi.CategoryPreference) bool { return c.Category == "product" })
	preferences.Categories[at].Channels = notificationsapi.ChannelPreference{}
	s.laptop.Put(notificationsapi.PutPreferences.Path, preferences).Want(http.StatusOK)

	security := slices.IndexFunc(preferences.Categories, func(c notificationsapi.CategoryPreference) bool { return c.Category == "security" })
	locked := slices.Clone(preferences.Categories)
	locked[security].Channels.Email = false
	s.laptop.Put(notificationsapi.PutPreferences.Path, map[string]any{"categories": locked}).Want(http.StatusUnprocessableEntity)

	send := s.admin.Post(notificationsapi.SendNotification.Path, s.message("Not wanted", s.ada.ID)).Want(http.StatusAccepted)
	s.admin.Eventually("the send is done", func() bool {
		state := client.Decode[notificationsapi.NotificationSend](s.admin.Get(send.Header.Get("Location")).Want(http.StatusOK))
		return state.State == notificationsapi.SendSent && state.Counts.Skipped == 1 && state.Counts.Notified == 0
	})
	require.Zero(s, s.unread(s.laptop))
}

func (s *story) message(title string, to ...string) map[string]any {
	return map[string]any{
		"to": map[string]any{"user_ids": to}, "category": "product", "title": title, "body": "It takes half an hour.",
		"data": map[string]any{"path": "/status"},
	}
}

func (s *story) unread(c *client.Client) int64 {
	s.Helper()
	return client.Decode[notificationsapi.UnreadCount](c.Get(notificationsapi.CountUnread.Path).Want(http.StatusOK)).Unread
}

// readsTheReference: the merged document has every operation that is not hidden.
func (s *story) readsTheReference() {
	var document struct {
		OpenAPI string
		Paths   map[string]map[string]json.RawMessage
	}
	require.NoError(s, json.Unmarshal(s.visitor.Get("/openapi.json").Want(http.StatusOK).Body, &document))
	require.Contains(s, document.OpenAPI, "3.1")
	for _, path := range []string{authapi.Login.Path, usersapi.GetMe.Path, notificationsapi.ListNotifications.Path} {
		require.Contains(s, document.Paths, path)
	}
	for _, path := range []string{"/docs", "/redoc"} {
		require.Contains(s, s.visitor.Get(path).Want(http.StatusOK).Header.Get("Content-Type"), "text/html")
	}
}
