package e2e_test

import (
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/op"
	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	notificationsapi "github.com/atrium-mesh/atrium/services/notifications/api"
	usersapi "github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
)

func mapsKeys[V any](m map[string]V) iter.Seq[string] { return maps.Keys(m) }

// request is one that succeeds, or fails for another reason than who asks: a body that is complete where the operation needs one to
// get anywhere, and {} elsewhere, which is refused as invalid when it comes to that.
func (a attempt) request(meta op.Meta) client.Request {
	path := strings.NewReplacer(
		"{session_id}", uuid.Must(uuid.NewV7()).String(), "{name}", "nobody-has-this",
	).Replace(meta.Path)
	id := uuid.Must(uuid.NewV7()).String()
	if strings.HasPrefix(path, "/api/v1/users/{id}") {
		id = a.subject
	}
	r := client.Request{Method: meta.Method, Path: strings.ReplaceAll(path, "{id}", id)}
	if body, ok := a.bodies()[meta.ID]; ok {
		r.Body = body
		return r
	}
	switch meta.ID {
	case authapi.Token.OperationID:
		form := url.Values{"grant_type": {"password"}, "username": {a.person.Email}, "password": {a.person.Password}}
		r.Raw, r.ContentType = []byte(form.Encode()), "application/x-www-form-urlencoded"
	case notificationsapi.Unsubscribe.OperationID, notificationsapi.UnsubscribePage.OperationID:
		r.Path += "?token=nonsense"
	default:
		if r.Method == http.MethodPut || r.Method == http.MethodPatch || r.Method == http.MethodPost && !strings.HasPrefix(r.Path, "/api/v1/users/"+id) {
			r.Body = map[string]any{}
		}
	}
	return r
}

// bodies are complete ones, by operation.
func (a attempt) bodies() map[string]any {
	fresh := client.NewPerson("fresh")
	link := map[string]string{"token": "nonsense", "password": fresh.Password, "email": fresh.Email, "full_name": "Fresh"}
	only := func(names ...string) map[string]string {
		body := maps.Clone(link)
		maps.DeleteFunc(body, func(name, _ string) bool { return !slices.Contains(names, name) })
		return body
	}
	return map[string]any{
		authapi.Register.OperationID:           only("email", "password", "full_name"),
		authapi.VerifyEmail.OperationID:        only("token"),
		authapi.Disown.OperationID:             only("token"),
		authapi.ResendVerification.OperationID: only("email"),
		authapi.AcceptInvitation.OperationID:   only("token", "password"),
		authapi.NotMe.OperationID:              only("token"),
		authapi.SetupFirstAdmin.OperationID:    link,
		authapi.ForgotPassword.OperationID:     only("email"),
		authapi.ResetPassword.OperationID:      only("token", "password"),
		authapi.ChangePassword.OperationID:     map[string]string{"current_password": a.person.Password, "new_password": "eleven quiet authorities"},
		authapi.Login.OperationID:              map[string]string{"email": a.person.Email, "password": a.person.Password},
		authapi.Refresh.OperationID:            map[string]string{"refresh_token": a.refresh},
		authapi.Logout.OperationID:             map[string]string{"refresh_token": a.refresh},
		authapi.CreateRole.OperationID:         map[string]any{"name": "role-" + uuid.Must(uuid.NewV7()).String()[24:], "permissions": []string{}},
		authapi.UpdateRole.OperationID:         map[string]any{"permissions": []string{}},
		authapi.SetUserRoles.OperationID:       map[string]any{"roles": []string{authapi.RoleUser}},
		usersapi.CreateUser.OperationID:        only("email", "full_name"),
		usersapi.UpdateUser.OperationID:        map[string]string{"full_name": "Changed"},
		usersapi.UpdateMe.OperationID:          map[string]string{"full_name": "Changed"},
		usersapi.ReplaceUser.OperationID:       map[string]string{"full_name": "Replaced", "locale": "en", "time_zone": "UTC"},
		notificationsapi.SendNotification.OperationID: map[string]any{
			"to": map[string]any{"user_ids": []string{a.subject}}, "category": "product", "title": "t", "body": "b",
		},
		notificationsapi.PutPreferences.OperationID: map[string]any{"categories": []any{}},
	}
}
