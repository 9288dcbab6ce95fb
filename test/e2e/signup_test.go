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

func signUp(p client.Person) client.Request {
	return client.Request{Method: http.MethodPost, Path: authapi.Register.Path, Body: map[string]string{
		"email": p.Email, "password": p.Password, "full_name": p.FullName,
	}}
}

// TestSignUpTellsNothing: a stranger cannot find out by signing up, or by what follows, whether an address has an account. Its owner is
// told.
func TestSignUpTellsNothing(t *testing.T) {
	t.Parallel()
	m := mesh.Processes(t, mesh.Options{})
	v := visitor(t, m)
	ada, device := v.SignUp("ada")
	fresh := client.NewPerson("new")
	eve := client.Person{Email: ada.Email, Password: "twelve loud tricycles", FullName: "Eve"}

	known, unknown := v.Do(signUp(eve)).Want(http.StatusAccepted), v.Do(signUp(fresh)).Want(http.StatusAccepted)
	require.JSONEq(t, `{"email": "`+eve.Email+`"}`, string(known.Body))
	require.JSONEq(t, `{"email": "`+fresh.Email+`"}`, string(unknown.Body))
	require.Empty(t, known.Header.Get("Location"))
	require.Len(t, known.Header.Values("Set-Cookie"), 1)
	require.Len(t, unknown.Header.Values("Set-Cookie"), 1)
	names := func(a *client.Answer) (all []string) {
		for name := range a.Header {
			all = append(all, name)
		}
		return all
	}
	require.ElementsMatch(t, names(known), names(unknown))

	for _, p := range []client.Person{eve, fresh, client.NewPerson("nobody")} { // nor does the password tell that was just chosen
		v.Do(signIn(p, p.Password)).WantProblem(http.StatusUnauthorized, "invalid_credentials")
		v.Post(authapi.ResendVerification.Path, map[string]string{"email": p.Email}).Want(http.StatusAccepted)
		v.Post(authapi.ForgotPassword.Path, map[string]string{"email": p.Email}).Want(http.StatusAccepted)
	}

	mail := v.ReadMail(ada.Email, client.SubjectAccountExists)
	require.NotContains(t, mail.Text, "Eve", "what a stranger typed is not mailed")
	require.Zero(t, v.CountMails(ada.Email, client.SubjectReset), "one mail with a link a minute")
	device.Post(authapi.Login.Path, map[string]string{"email": ada.Email, "password": ada.Password}).Want(http.StatusOK)
	another := "thirteen shy unicycles"
	v.Post(authapi.ResetPassword.Path, map[string]string{"token": mail.Token(t), "password": another}).Want(http.StatusNoContent)
	ada.Password = another
	device.Login(ada)
}

// TestSignUpReveals: who wants it the old way has it.
func TestSignUpReveals(t *testing.T) {
	t.Parallel()
	m := mesh.Processes(t, mesh.Options{EnvOf: map[string]string{"auth.REGISTRATION_REVEALS_ACCOUNTS": "true"}})
	v, p := visitor(t, m), client.NewPerson("ada")
	a := v.Do(signUp(p)).Want(http.StatusCreated)
	made := client.Decode[authapi.SignedUp](a)
	require.Equal(t, "/api/v1/users/"+made.ID, a.Header.Get("Location"))
	v.Do(signUp(p)).WantProblem(http.StatusConflict, "email_taken")
	v.Do(signIn(p, p.Password)).WantProblem(http.StatusForbidden, "email_not_verified")
	v.Verify(p)
	v.Login(p)
	require.Equal(t, made.ID, v.WaitActive().ID)
	require.Zero(t, v.CountMails(p.Email, client.SubjectAccountExists))
}

// TestAStrangersPassword: Eve signs up with Ada's address, and is even let in. Once Ada has proved that the address is hers, nothing of
// Eve's opens it.
func TestAStrangersPassword(t *testing.T) {
	t.Parallel()
	m := mesh.Processes(t, mesh.Options{EnvOf: map[string]string{"auth.REQUIRE_VERIFIED_EMAIL": "false"}})
	v := visitor(t, m)
	eve := v.Browser("e2e/eve")
	account := eve.Register(client.NewPerson("ada"))
	eve.Login(account)
	token := v.ReadMail(account.Email, client.SubjectVerification).Token(t)

	ada := v.Browser("e2e/ada")
	ada.Post(authapi.VerifyEmail.Path, map[string]string{"token": token}).WantProblem(http.StatusUnprocessableEntity, "password_required")
	ada.Post(authapi.VerifyEmail.Path, map[string]string{"token": token, "password": "twelve loud tricycles"}).
		WantProblem(http.StatusForbidden, "wrong_password")
	hers := client.Person{Email: account.Email, Password: "thirteen shy unicycles"}
	ada.Post(authapi.VerifyEmail.Path, map[string]string{"token": token, "new_password": hers.Password}).Want(http.StatusNoContent)

	eve.Eventually("Eve is out", func() bool { return eve.Get(usersapi.GetMe.Path).Status == http.StatusUnauthorized })
	eve.Post(authapi.Refresh.Path, map[string]string{"refresh_token": eve.Refresh}).WantProblem(http.StatusUnauthorized, "refresh_token_invalid")
	v.Do(signIn(account, account.Password)).WantProblem(http.StatusUnauthorized, "invalid_credentials")
	ada.Login(hers)
	require.True(t, ada.WaitActive().EmailVerified)
}

// TestTheBrowserThatSignedUp needs the link alone.
func TestTheBrowserThatSignedUp(t *testing.T) {
	t.Parallel()
	m := mesh.Processes(t, mesh.Options{})
	v := visitor(t, m)
	browser := v.Browser("e2e/browser")
	p := browser.Register(client.NewPerson("ada"))
	require.Contains(t, browser.Cookies(authapi.VerifyEmail.Path), authapi.CookieSignUp)
	token := map[string]string{"token": v.ReadMail(p.Email, client.SubjectVerification).Token(t)}
	v.Browser("e2e/other").Post(authapi.VerifyEmail.Path, token).WantProblem(http.StatusUnprocessableEntity, "password_required")
	browser.Post(authapi.VerifyEmail.Path, token).Want(http.StatusNoContent)
	require.NotContains(t, browser.Cookies(authapi.VerifyEmail.Path), authapi.CookieSignUp)
	browser.Login(p)
}

// TestIDidNotSignUp: the owner of an address removes the account that somebody made with it, everywhere, and can sign up.
func TestIDidNotSignUp(t *testing.T) {
	t.Parallel()
	m := mesh.Processes(t, mesh.Options{})
	v, admin := visitor(t, m), administrator(t, m)
	p := v.Register(client.NewPerson("ada"))
	id := admin.FindUser(p)
	mail := v.ReadMail(p.Email, client.SubjectVerification)
	require.Contains(t, mail.Text, authapi.DisownPage.Path+"?token=")
	require.Contains(t, mail.HTML, authapi.DisownPage.Path+"?token=")
	page := v.Get(authapi.DisownPage.Path + "?token=" + mail.Token(t)).Want(http.StatusOK)
	require.Contains(t, string(page.Body), authapi.Disown.Path)
	require.Equal(t, id, admin.FindUser(p), "opening the page removes nothing")

	token := map[string]string{"token": mail.Token(t)}
	v.Post(authapi.Disown.Path, token).Want(http.StatusNoContent)
	v.Post(authapi.Disown.Path, token).WantProblem(http.StatusUnprocessableEntity, "link_invalid")
	v.Post(authapi.VerifyEmail.Path, map[string]string{"token": mail.Token(t), "password": p.Password}).
		WantProblem(http.StatusUnprocessableEntity, "link_invalid")
	admin.Eventually("the profile is gone", func() bool { return admin.Get("/api/v1/users/"+id).Status == http.StatusNotFound })
	again := v.Register(p)
	v.ReadMailAfter(p.Email, client.SubjectVerification, mail.ID)
	require.NotEqual(t, id, admin.FindUser(again))
}
