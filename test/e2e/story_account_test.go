package e2e_test

import (
	"net/http"
	"net/url"

	"github.com/stretchr/testify/require"

	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	usersapi "github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
)

// signsInElsewhere: a second device is told about by mail, listed, and revoked from the first one.
func (s *story) signsInElsewhere() {
	require.Zero(s, s.visitor.CountMails(s.ada.Email, client.SubjectNewDevice), "the first sign-in is no news")
	s.phone = s.visitor.Device("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari/604.1")
	s.phone.Login(s.ada)
	mail := s.visitor.ReadMail(s.ada.Email, client.SubjectNewDevice)
	require.Equal(s, "/account/not-me", mail.Link(s).Path)

	sessions := client.Decode[authapi.SessionPage](s.laptop.Get(authapi.ListSessions.Path).Want(http.StatusOK))
	require.Len(s, sessions.Items, 2)
	var other authapi.Session
	for _, session := range sessions.Items {
		require.NotEmpty(s, session.Device)
		require.NotEmpty(s, session.IP)
		if !session.Current {
			other = session
		}
	}
	require.NotEmpty(s, other.ID, "one of them is not this one")
	s.laptop.Delete("/api/v1/auth/sessions/" + other.ID).Want(http.StatusNoContent)
	s.phone.Eventually("the phone is signed out", func() bool { return s.phone.Get(usersapi.GetMe.Path).Status == http.StatusUnauthorized })
	s.phone.Get(usersapi.GetMe.Path).WantProblem(http.StatusUnauthorized, "token_revoked")
	s.phone.Post(authapi.Refresh.Path, map[string]string{"refresh_token": s.phone.Refresh}).
		WantProblem(http.StatusUnauthorized, "refresh_token_invalid")
	s.laptop.Delete("/api/v1/auth/sessions/"+other.ID).WantProblem(http.StatusNotFound, "session_not_found")
	s.laptop.Get(usersapi.GetMe.Path).Want(http.StatusOK)
}

// changesThePassword: with the present one; every other session ends, and a mail tells.
func (s *story) changesThePassword() {
	s.phone.Login(s.ada)
	change := func(current, next string) *client.Answer {
		return s.laptop.Post(authapi.ChangePassword.Path, map[string]string{"current_password": current, "new_password": next})
	}
	change("eleven quiet mistakes", "eleven quiet umbrellas").WantProblem(http.StatusForbidden, "wrong_password")
	change(s.ada.Password, "short").WantProblem(http.StatusUnprocessableEntity, "validation_failed").WantField("body.new_password", "too_short")
	change(s.ada.Password, "eleven quiet umbrellas").Want(http.StatusNoContent)
	s.ada.Password = "eleven quiet umbrellas"
	s.phone.Eventually("the phone is signed out", func() bool { return s.phone.Get(usersapi.GetMe.Path).Status == http.StatusUnauthorized })
	s.laptop.Get(usersapi.GetMe.Path).Want(http.StatusOK)
	s.visitor.ReadMail(s.ada.Email, client.SubjectPasswordChanged)
	s.visitor.Post(authapi.Login.Path, map[string]string{"email": s.ada.Email, "password": client.Password}).
		WantProblem(http.StatusUnauthorized, "invalid_credentials")
	s.phone.Login(s.ada)
}

// forgetsThePassword: a link by mail, that works once; the answer is the same for an address without an account.
func (s *story) forgetsThePassword() {
	forgot := func(email string) *client.Answer {
		return s.visitor.Post(authapi.ForgotPassword.Path, map[string]string{"email": email}).Want(http.StatusAccepted)
	}
	require.Equal(s, forgot(s.ada.Email).Body, forgot("nobody@atrium.example").Body)
	mail := s.visitor.ReadMail(s.ada.Email, client.SubjectReset)
	reset := func(password string) *client.Answer {
		return s.visitor.Post(authapi.ResetPassword.Path, map[string]string{"token": mail.Token(s), "password": password})
	}
	reset("password1234").WantProblem(http.StatusUnprocessableEntity, "validation_failed").WantField("body.password", "password_common")
	reset("eleven quiet teapots").Want(http.StatusNoContent)
	reset("eleven quiet kettles").WantProblem(http.StatusUnprocessableEntity, "link_used")
	s.ada.Password = "eleven quiet teapots"
	for _, device := range []*client.Client{s.laptop, s.phone} {
		device.Eventually("every session has ended", func() bool { return device.Get(usersapi.GetMe.Path).Status == http.StatusUnauthorized })
	}
	s.laptop.Login(s.ada)
	s.visitor.Post(authapi.Login.Path, map[string]string{"email": s.ada.Email, "password": "eleven quiet kettles"}).
		WantProblem(http.StatusUnauthorized, "invalid_credentials")

	form := url.Values{"grant_type": {"password"}, "username": {s.ada.Email}, "password": {s.ada.Password}}
	s.visitor.Do(client.Request{
		Method: http.MethodPost, Path: authapi.Token.Path, Raw: []byte(form.Encode()), ContentType: "application/x-www-form-urlencoded",
	}).Want(http.StatusOK)
}

// keepsCookies: a browser that asks for cookies never sees a token, and no other site can use them.
func (s *story) keepsCookies() {
	browser := s.visitor.Browser("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0.0.0 Safari/537.36")
	same := http.Header{"Origin": {browser.Gateway}, "Sec-Fetch-Site": {"same-origin"}}
	post := func(path string, body any, header http.Header) *client.Answer {
		return browser.Do(client.Request{Method: http.MethodPost, Path: path, Body: body, Header: header})
	}
	a := post(authapi.Login.Path, map[string]string{"email": s.ada.Email, "password": s.ada.Password, "transport": "cookie"}, same).Want(http.StatusOK)
	tokens := client.Decode[authapi.Tokens](a)
	require.Empty(s, tokens.AccessToken)
	require.Empty(s, tokens.RefreshToken)
	for _, cookie := range (&http.Response{Header: a.Header}).Cookies() {
		require.True(s, cookie.HttpOnly && cookie.Secure, cookie.Name)
		require.NotEqual(s, http.SameSiteNoneMode, cookie.SameSite, cookie.Name)
	}
	require.ElementsMatch(s, []string{authapi.CookieAccess, authapi.CookieRefresh, authapi.CookieDevice}, browser.Cookies(authapi.Refresh.Path))
	require.ElementsMatch(s, []string{authapi.CookieAccess, authapi.CookieDevice}, browser.Cookies(usersapi.GetMe.Path),
		"the refresh token goes to auth only")

	me, etag := browser.Me()
	require.Equal(s, s.ada.ID, me.ID)
	foreign := http.Header{"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}}
	post(authapi.LogoutAll.Path, nil, foreign).WantProblem(http.StatusForbidden, "cross_origin_refused")
	conn, response, err := browser.DialWebSocket(http.Header{"Origin": {"https://evil.example"}}, "")
	require.Error(s, err)
	require.Nil(s, conn)
	require.Equal(s, http.StatusForbidden, response.StatusCode)
	conn, _, err = browser.DialWebSocket(http.Header{"Origin": {browser.Gateway}}, "")
	require.NoError(s, err)
	require.NoError(s, conn.CloseNow())

	browser.Patch(usersapi.UpdateMe.Path, etag, map[string]string{"locale": "en-GB"}).Want(http.StatusOK)
	post(authapi.Refresh.Path, nil, same).Want(http.StatusOK)
	browser.Me()
	post(authapi.Logout.Path, nil, same).Want(http.StatusNoContent)
	require.Equal(s, []string{authapi.CookieDevice}, browser.Cookies(authapi.Refresh.Path), "signing out removes the tokens")
	browser.Get(usersapi.GetMe.Path).WantProblem(http.StatusUnauthorized, "token_missing")
}

// isSignedOutByAThief: a refresh token that is used again after the time of grace ends the session, and a mail tells.
func (s *story) isSignedOutByAThief() {
	s.phone.Login(s.ada)
	stolen := s.phone.Refresh
	s.phone.RefreshTokens()
	refresh := func() *client.Answer {
		return s.visitor.Post(authapi.Refresh.Path, map[string]string{"refresh_token": stolen})
	}
	require.Equal(s, s.phone.Refresh, client.Decode[authapi.Tokens](refresh().Want(http.StatusOK)).RefreshToken, "tabs that race get the same successor")
	var reused *client.Answer
	s.phone.Eventually("the time of grace is over", func() bool { reused = refresh(); return reused.Status != http.StatusOK })
	reused.WantProblem(http.StatusUnauthorized, "refresh_token_reused")
	s.phone.Eventually("the session has ended", func() bool { return s.phone.Get(usersapi.GetMe.Path).Status == http.StatusUnauthorized })
	s.phone.Post(authapi.Refresh.Path, map[string]string{"refresh_token": s.phone.Refresh}).
		WantProblem(http.StatusUnauthorized, "refresh_token_invalid")
	s.visitor.ReadMail(s.ada.Email, client.SubjectCompromised)
	s.laptop.Get(usersapi.GetMe.Path).Want(http.StatusOK)
}

// saysItWasNotMe: the link in a security mail ends everything, and the way back is a new password.
func (s *story) saysItWasNotMe() {
	mail := s.visitor.ReadMail(s.ada.Email, client.SubjectCompromised)
	s.visitor.Get(mail.Link(s).RequestURI()).Want(http.StatusOK)
	s.laptop.Get(usersapi.GetMe.Path).Want(http.StatusOK)
	before := s.visitor.ReadMail(s.ada.Email, client.SubjectReset)
	s.visitor.Post(authapi.NotMe.Path, map[string]string{"token": mail.Token(s)}).Want(http.StatusNoContent)
	s.laptop.Eventually("every session has ended", func() bool { return s.laptop.Get(usersapi.GetMe.Path).Status == http.StatusUnauthorized })
	s.laptop.Post(authapi.Login.Path, map[string]string{"email": s.ada.Email, "password": s.ada.Password}).
		WantProblem(http.StatusUnauthorized, "invalid_credentials")

	reset := s.visitor.ReadMailAfter(s.ada.Email, client.SubjectReset, before.ID)
	s.ada.Password = "eleven quiet harbours"
	s.visitor.Post(authapi.ResetPassword.Path, map[string]string{"token": reset.Token(s), "password": s.ada.Password}).Want(http.StatusNoContent)
	s.laptop.Login(s.ada)
}

// signsOutEverywhere ends the story.
func (s *story) signsOutEverywhere() {
	s.phone.Login(s.ada)
	socket := s.phone.WebSocket()
	s.laptop.Post(authapi.LogoutAll.Path, nil).Want(http.StatusNoContent)
	for _, device := range []*client.Client{s.laptop, s.phone} {
		device.Eventually("signed out", func() bool { return device.Get(usersapi.GetMe.Path).Status == http.StatusUnauthorized })
		device.Post(authapi.Refresh.Path, map[string]string{"refresh_token": device.Refresh}).
			WantProblem(http.StatusUnauthorized, "refresh_token_invalid")
	}
	_, how := socket.WaitEnd()
	require.Equal(s, "4401", how)
}
