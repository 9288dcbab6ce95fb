package e2e_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	usersapi "github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

// TestNotMeClosesEverything: a thief who is signed in, has traded the refresh token a moment ago and has a reset link at hand has nothing
// of it any more once the person says "this wasn't me"; said again later, it closes again.
func TestNotMeClosesEverything(t *testing.T) {
	t.Parallel()
	m := mesh.Processes(t, mesh.Options{})
	v := visitor(t, m)
	ada, laptop := v.SignUp("ada")
	thief := v.Device("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0")
	thief.Login(ada)
	warning := v.ReadMail(ada.Email, client.SubjectNewDevice)
	v.Post(authapi.ForgotPassword.Path, map[string]string{"email": ada.Email}).Want(http.StatusAccepted)
	reset := v.ReadMail(ada.Email, client.SubjectReset)
	parent := thief.Refresh
	thief.RefreshTokens()

	v.Post(authapi.NotMe.Path, map[string]string{"token": warning.Token(t)}).Want(http.StatusNoContent)
	for _, device := range []*client.Client{laptop, thief} {
		device.Eventually("it is signed out", func() bool { return device.Get(usersapi.GetMe.Path).Status == http.StatusUnauthorized })
	}
	for _, generation := range []string{parent, thief.Refresh} { // the first is within its grace
		v.Post(authapi.Refresh.Path, map[string]string{"refresh_token": generation}).
			WantProblem(http.StatusUnauthorized, "refresh_token_invalid")
	}
	v.Post(authapi.ResetPassword.Path, map[string]string{"token": reset.Token(t), "password": "twelve loud tricycles"}).
		WantProblem(http.StatusUnprocessableEntity, "link_used")
	v.Do(signIn(ada, ada.Password)).WantProblem(http.StatusUnauthorized, "invalid_credentials")

	fresh := v.ReadMailAfter(ada.Email, client.SubjectReset, reset.ID)
	require.NotEqual(t, reset.Token(t), fresh.Token(t))
	ada.Password = "thirteen shy unicycles"
	v.Post(authapi.ResetPassword.Path, map[string]string{"token": fresh.Token(t), "password": ada.Password}).Want(http.StatusNoContent)
	thief.Login(ada) // who has found out this one, too
	again := v.ReadMailAfter(ada.Email, client.SubjectNewDevice, fresh.ID)
	v.Post(authapi.NotMe.Path, map[string]string{"token": again.Token(t)}).Want(http.StatusNoContent)
	thief.Eventually("it is signed out again", func() bool { return thief.Get(usersapi.GetMe.Path).Status == http.StatusUnauthorized })
	v.ReadMailAfter(ada.Email, client.SubjectReset, again.ID)
}

// TestNotMeAndAMailThatWaits: a reset mail that was asked for before and could not be sent yet is not sent afterwards.
func TestNotMeAndAMailThatWaits(t *testing.T) {
	t.Parallel()
	m := mesh.Processes(t, mesh.Options{})
	v, admin := visitor(t, m), administrator(t, m)
	ada, _ := v.SignUp("ada")
	v.Device("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0").Login(ada)
	warning := v.ReadMail(ada.Email, client.SubjectNewDevice)

	notifications := m.Process("notifications")
	notifications.Kill()
	v.Post(authapi.ForgotPassword.Path, map[string]string{"email": ada.Email}).Want(http.StatusAccepted)
	v.Post(authapi.NotMe.Path, map[string]string{"token": warning.Token(t)}).Want(http.StatusNoContent)
	notifications.Start()
	notifications.WaitReady()
	fresh := v.ReadMailAfter(ada.Email, client.SubjectReset, warning.ID)
	admin.Eventually("the older mail is given up", func() bool { return skipped(admin, ada.ID, "reset") == 1 })
	require.Equal(t, 1, v.CountMails(ada.Email, client.SubjectReset))
	v.Post(authapi.ResetPassword.Path, map[string]string{"token": fresh.Token(t), "password": "thirteen shy unicycles"}).
		Want(http.StatusNoContent)
}
