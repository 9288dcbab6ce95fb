package e2e_test

import (
	"net/http"
	"net/url"

	"github.com/stretchr/testify/require"

	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	usersapi "github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
)

// invites: an administrator makes a user, who sets a password by the link in the mail.
func (s *story) invites() {
	s.grace = client.NewPerson("grace")
	body := map[string]any{"email": s.grace.Email, "full_name": "Grace Hopper", "time_zone": "America/New_York"}
	create := func(body any) *client.Answer {
		return s.admin.Do(client.Request{
			Method: http.MethodPost, Path: usersapi.CreateUser.Path, Body: body, Header: http.Header{"Idempotency-Key": {s.grace.Email}},
		})
	}
	s.laptop.Post(usersapi.CreateUser.Path, body).WantProblem(http.StatusForbidden, "permission_denied")
	first := create(body).Want(http.StatusCreated)
	s.grace.ID = client.Decode[usersapi.User](first).ID
	require.Equal(s, "/api/v1/users/"+s.grace.ID, first.Header.Get("Location"))
	require.Equal(s, s.grace.ID, client.Decode[usersapi.User](create(body).Want(http.StatusCreated)).ID, "the same request again is the same user")
	create(map[string]any{"email": s.grace.Email, "full_name": "Somebody Else"}).
		WantProblem(http.StatusUnprocessableEntity, "idempotency_key_reused")
	s.admin.Post(usersapi.CreateUser.Path, body).WantProblem(http.StatusConflict, "email_taken")

	mail := s.visitor.ReadMail(s.grace.Email, client.SubjectInvitation)
	s.visitor.Post(authapi.AcceptInvitation.Path, map[string]string{"token": mail.Token(s), "password": s.grace.Password}).Want(http.StatusNoContent)
	s.office = s.visitor.Device("e2e/office")
	s.office.Login(s.grace)
	me := s.office.WaitActive()
	require.Equal(s, "Grace Hopper", me.FullName)
	require.Equal(s, "America/New_York", me.TimeZone)
	require.Equal(s, 1, s.visitor.CountMails(s.grace.Email, client.SubjectInvitation))

	found := client.Decode[usersapi.UserPage](s.admin.Get(usersapi.ListUsers.Path + "?q=" + url.QueryEscape("hopper") + "&status=active&sort=-created_at").Want(http.StatusOK))
	require.Equal(s, s.grace.ID, found.Items[0].ID)
	require.GreaterOrEqual(s, found.Total, int64(1))
}

// givesRoles: a role's permission comes with the next token, and the present one is refused so that the client asks for it.
func (s *story) givesRoles() {
	role := map[string]any{"name": "reader", "description": "Reads users", "permissions": []string{"users:read"}}
	s.admin.Post(authapi.CreateRole.Path, role).Want(http.StatusCreated)
	s.admin.Post(authapi.CreateRole.Path, role).WantProblem(http.StatusConflict, "role_exists")
	s.office.Get(usersapi.ListUsers.Path).WantProblem(http.StatusForbidden, "permission_denied")
	s.office.Put("/api/v1/users/"+s.grace.ID+"/roles", map[string]any{"roles": []string{"admin"}}).
		WantProblem(http.StatusForbidden, "permission_denied")

	s.admin.Put("/api/v1/users/"+s.grace.ID+"/roles", map[string]any{"roles": []string{"user", "reader"}}).Want(http.StatusOK)
	s.office.Eventually("the token from before is refused", func() bool { return s.office.Get(usersapi.GetMe.Path).Status == http.StatusUnauthorized })
	tokens := s.office.RefreshTokens()
	require.Equal(s, "users:read", tokens.Scope)
	s.office.Get(usersapi.ListUsers.Path).Want(http.StatusOK)
	s.office.Get("/api/v1/users/" + s.ada.ID).Want(http.StatusOK)
	s.office.Delete("/api/v1/users/"+s.ada.ID).WantProblem(http.StatusForbidden, "permission_denied")
	s.admin.Eventually("the profile has the roles", func() bool {
		return len(client.Decode[usersapi.User](s.admin.Get("/api/v1/users/"+s.grace.ID)).Roles) == 2
	})
}

// keepsSomebodyOut: a deactivated user is out at once and stays out until activated.
func (s *story) keepsSomebodyOut() {
	socket := s.office.WebSocket()
	s.admin.Post("/api/v1/users/"+s.grace.ID+"/deactivate", nil).Want(http.StatusOK)
	_, how := socket.WaitEnd()
	require.Equal(s, "4401", how)
	s.office.Eventually("the token is refused", func() bool { return s.office.Get(usersapi.GetMe.Path).Status == http.StatusUnauthorized })
	s.office.Post(authapi.Refresh.Path, map[string]string{"refresh_token": s.office.Refresh}).
		WantProblem(http.StatusUnauthorized, "refresh_token_invalid")
	credentials := map[string]string{"email": s.grace.Email, "password": s.grace.Password}
	s.office.Post(authapi.Login.Path, credentials).WantProblem(http.StatusUnauthorized, "invalid_credentials")

	s.admin.Post("/api/v1/users/"+s.grace.ID+"/activate", nil).Want(http.StatusOK)
	s.office.Eventually("signing in works again", func() bool { return s.office.Post(authapi.Login.Path, credentials).Status == http.StatusOK })
	s.office.Login(s.grace)
	s.office.Get(usersapi.GetMe.Path).Want(http.StatusOK)
}

// deletes: a deleted user is out and not listed any more, and can be restored within the time of grace.
func (s *story) deletes() {
	path := "/api/v1/users/" + s.grace.ID
	etag := s.admin.Get(path).Want(http.StatusOK).ETag()
	s.admin.Do(client.Request{Method: http.MethodDelete, Path: path, Header: http.Header{"If-Match": {`"0"`}}}).
		WantProblem(http.StatusPreconditionFailed, "version_conflict")
	s.admin.Do(client.Request{Method: http.MethodDelete, Path: path, Header: http.Header{"If-Match": {etag}}}).Want(http.StatusNoContent)
	s.office.Eventually("the token is refused", func() bool { return s.office.Get(usersapi.GetMe.Path).Status == http.StatusUnauthorized })
	deleted := client.Decode[usersapi.User](s.admin.Get(path).Want(http.StatusOK))
	require.Equal(s, "deleted", deleted.Status)
	require.NotNil(s, deleted.EraseAt)
	s.admin.Patch(path, "", map[string]string{"full_name": "Nobody"}).WantProblem(http.StatusConflict, "user_deleted")
	list := client.Decode[usersapi.UserPage](s.admin.Get(usersapi.ListUsers.Path + "?q=" + url.QueryEscape(s.grace.Email)).Want(http.StatusOK))
	require.Empty(s, list.Items)

	s.admin.Post(path+"/restore", nil).Want(http.StatusOK)
	s.office.Eventually("signing in works again", func() bool {
		return s.office.Post(authapi.Login.Path, map[string]string{"email": s.grace.Email, "password": s.grace.Password}).Status == http.StatusOK
	})
	s.admin.Post(path+"/restore", nil).WantProblem(http.StatusConflict, "user_not_deleted")
}

// readsTheTrail: what was done is in the audit trail, without a secret.
func (s *story) readsTheTrail() {
	trail := s.admin.Get(authapi.ListAudit.Path + "?page_size=100&subject=" + s.ada.ID).Want(http.StatusOK)
	require.NotContains(s, string(trail.Body), "eleven quiet")
	actions := map[string]bool{}
	for _, entry := range client.Decode[authapi.AuditPage](trail).Items {
		actions[entry.Action] = true
	}
	require.GreaterOrEqual(s, len(actions), 5, "%v", actions)
	s.laptop.Get(authapi.ListAudit.Path).WantProblem(http.StatusForbidden, "permission_denied")
	sessions := s.admin.Get("/api/v1/users/" + s.ada.ID + "/sessions").Want(http.StatusOK)
	require.NotEmpty(s, client.Decode[authapi.SessionPage](sessions).Items)
}
