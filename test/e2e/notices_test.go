package e2e_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	notificationsapi "github.com/atrium-mesh/atrium/services/notifications/api"
	usersapi "github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

// waitTold waits until somebody is told something in the app.
func waitTold(t *testing.T, c *client.Client, title string) notificationsapi.Notification {
	t.Helper()
	var found notificationsapi.Notification
	c.Eventually("told in the app: "+title, func() bool {
		page := client.Decode[notificationsapi.NotificationPage](c.Get(notificationsapi.ListNotifications.Path).Want(http.StatusOK))
		i := slices.IndexFunc(page.Items, func(n notificationsapi.Notification) bool { return n.Title == title })
		if i >= 0 {
			found = page.Items[i]
		}
		return i >= 0
	})
	return found
}

// TestNotices_of_networks: the same browser from another network is noticed, unless it has the cookie that it was given.
func TestNotices_of_networks(t *testing.T) {
	t.Parallel()
	m := mesh.Processes(t, mesh.Options{EnvOf: map[string]string{"gateway.TRUSTED_PROXIES": "127.0.0.0/8"}})
	const agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	laptop := visitor(t, m).Device(agent)
	p := laptop.Register(client.NewPerson("travels"))
	laptop.Verify(p)
	in := func(device *client.Client, address string) *client.Answer {
		return device.Do(from(address, signIn(p, p.Password))).Want(http.StatusOK)
	}
	in(laptop, "203.0.113.7")
	in(laptop, "203.0.112.99") // the same network
	thief := client.Decode[authapi.Tokens](in(laptop, "198.51.100.66"))
	mail := laptop.ReadMail(p.Email, client.SubjectNewDevice)
	require.Contains(t, mail.Text, "Firefox on Linux")
	require.Contains(t, mail.Text, "198.51.100.66")
	waitTold(t, laptop.WithToken(thief.AccessToken), client.SubjectNewDevice)
	require.Equal(t, 1, laptop.CountMails(p.Email, client.SubjectNewDevice), "neither the first sign-in nor one from the same network is news")

	browser := visitor(t, m).Browser(agent)
	cookies := func(address string) {
		r := from(address, client.Request{Method: http.MethodPost, Path: authapi.Login.Path, Body: map[string]string{
			"email": p.Email, "password": p.Password, "transport": "cookie",
		}})
		browser.Do(r).Want(http.StatusOK)
	}
	cookies("203.0.113.8")
	cookies("192.0.2.44") // on the train
	in(laptop, "100.64.0.1")
	last := laptop.ReadMailAfter(p.Email, client.SubjectNewDevice, mail.ID)
	require.Contains(t, last.Text, "100.64.0.1", "the train was no news, the next is")
}

// TestNotices_of_changes: what an administrator does to somebody is told by mail and in the app.
func TestNotices_of_changes(t *testing.T) {
	t.Parallel()
	m := mesh.Processes(t, mesh.Options{})
	admin := administrator(t, m)
	p, phone := visitor(t, m).SignUp("changed")

	admin.Put("/api/v1/users/"+p.ID+"/roles", map[string]any{"roles": []string{"user", "support"}}).Want(http.StatusOK)
	mail := admin.ReadMail(p.Email, "Your roles were changed")
	require.Contains(t, mail.Text, "Roles given: support")
	require.Contains(t, mail.Text, "Done by: an administrator")
	phone.Eventually("the token from before is refused", func() bool { return phone.Get(usersapi.GetMe.Path).Status == http.StatusUnauthorized })
	phone.RefreshTokens()
	require.Contains(t, waitTold(t, phone, "Your roles were changed").Body, "Given: support.")

	user := admin.Get("/api/v1/users/" + p.ID).Want(http.StatusOK)
	admin.Patch("/api/v1/users/"+p.ID, user.ETag(), map[string]string{"full_name": "Somebody Else"}).Want(http.StatusOK)
	admin.ReadMail(p.Email, "Your name was changed")
	waitTold(t, phone, "Your name was changed")
	_, etag := phone.Me()
	phone.Patch(usersapi.UpdateMe.Path, etag, map[string]string{"full_name": "Ada Again"}).Want(http.StatusOK)
	require.Equal(t, 1, admin.CountMails(p.Email, "Your name was changed"), "one's own change is no news")
}

// TestNotices_of_standing: being kept out, let in, deleted and restored reaches the person, also while nobody can sign in.
func TestNotices_of_standing(t *testing.T) {
	t.Parallel()
	m := mesh.Processes(t, mesh.Options{EnvOf: map[string]string{"auth.REAUTHENTICATION_MAX_AGE": "5s"}})
	admin := administrator(t, m)
	p, phone := visitor(t, m).SignUp("stands")
	user := "/api/v1/users/" + p.ID

	admin.Post(user+"/deactivate", nil).Want(http.StatusOK)
	mail := admin.ReadMail(p.Email, "Your account was deactivated")
	require.Contains(t, mail.Text, "Done by: an administrator")
	require.NotContains(t, mail.Text, mesh.AdminEmail)
	admin.Post(user+"/activate", nil).Want(http.StatusOK)
	admin.ReadMail(p.Email, "Your account was activated")
	admin.Delete(user).Want(http.StatusNoContent)
	mail = admin.ReadMail(p.Email, "Your account was deleted")
	require.Contains(t, mail.Text, "Can be taken back until")
	admin.Post(user+"/restore", nil).Want(http.StatusOK)
	mail = admin.ReadMail(p.Email, "Your account was restored")

	phone.Login(p)
	for _, title := range []string{"deactivated", "activated", "deleted", "restored"} {
		waitTold(t, phone, "Your account was "+title)
	}

	begun := time.Now()
	phone.Eventually("the session is not fresh any more", func() bool { return time.Since(begun) > 6*time.Second })
	phone.Delete(user).WantProblem(http.StatusForbidden, "reauthentication_required")
	phone.Post(authapi.Reauthenticate.Path, map[string]string{"password": p.Password}).Want(http.StatusNoContent)
	phone.Delete(user).Want(http.StatusNoContent)
	mail = admin.ReadMailAfter(p.Email, "Your account was deleted", mail.ID)
	require.Contains(t, mail.Text, "You have deleted your account")
	require.Contains(t, mail.Text, "Done by: you")
}
