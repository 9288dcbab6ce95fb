package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	notificationsapi "github.com/atrium-mesh/atrium/services/notifications/api"
	usersapi "github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

// skipped is how many mails of a template were given up because nobody needs them.
func skipped(admin *client.Client, recipient, template string) int {
	query := url.Values{"recipient_id": {recipient}, "template": {template}, "state": {"skipped"}}
	page := client.Decode[notificationsapi.DeliveryPage](admin.Get(notificationsapi.ListDeliveries.Path + "?" + query.Encode()).Want(http.StatusOK))
	return len(page.Items)
}

// TestAMailboxHasEnough: however many addresses of it strangers sign up with, one mailbox gets four mails an hour, and two of them at most
// are of one network. Nobody is told but the audit trail, and the administrator who invites.
func TestAMailboxHasEnough(t *testing.T) {
	t.Parallel()
	m := mesh.Processes(t, mesh.Options{EnvOf: map[string]string{"gateway.TRUSTED_PROXIES": "127.0.0.0/8"}})
	v, admin := visitor(t, m), administrator(t, m)
	ada := client.NewPerson("ada")
	local, domain, _ := strings.Cut(ada.Email, "@")
	for _, label := range []string{"", "+a", "+b", "+c"} { // a stranger knows the address
		ada.Email = local + label + "@" + domain
		v.Do(from("198.51.100.7", signUp(ada))).Want(http.StatusAccepted)
	}
	ada.Email = local + "@" + domain
	v.Do(from("203.0.113.7", client.Request{ // and its owner is somewhere else
		Method: http.MethodPost, Path: authapi.ForgotPassword.Path, Body: map[string]string{"email": ada.Email},
	})).Want(http.StatusAccepted)
	v.ReadMail(ada.Email, client.SubjectReset)
	for _, label := range []string{"+d", "+e"} {
		ada.Email = local + label + "@" + domain
		v.Do(from("203.0.113.7", signUp(ada))).Want(http.StatusAccepted)
	}
	invitation := map[string]string{"email": local + "+f@" + domain, "full_name": "Ada"}
	admin.Post(usersapi.CreateUser.Path, invitation).WantProblem(http.StatusTooManyRequests, "mailbox_full")
	marker := v.Register(client.NewPerson("marker")) // its mail is asked for last
	v.ReadMail(marker.Email, client.SubjectVerification)
	sent := 0
	for _, label := range []string{"", "+a", "+b", "+c", "+d", "+e", "+f"} {
		sent += v.CountMails(local+label+"@"+domain, "")
	}
	require.Equal(t, 4, sent)
	require.Len(t, trail(admin, "mail.held_back").Items, 1)
}

// TestThrottledSignInsAreAudited: refused attempts are in the trail with their source, once for each block.
func TestThrottledSignInsAreAudited(t *testing.T) {
	t.Parallel()
	m := mesh.Processes(t, mesh.Options{EnvOf: map[string]string{"gateway.TRUSTED_PROXIES": "127.0.0.0/8"}})
	v, admin := visitor(t, m), administrator(t, m)
	ada, _ := v.SignUp("ada")
	for range 5 {
		v.Do(from("198.51.100.7", signIn(ada, "eleven quiet guesses"))).WantProblem(http.StatusUnauthorized, "invalid_credentials")
	}
	for range 4 {
		v.Do(from("198.51.100.7", signIn(ada, "eleven quiet guesses"))).WantProblem(http.StatusTooManyRequests, "too_many_attempts")
	}
	found := trail(admin, "session.start_throttled")
	require.Len(t, found.Items, 1)
	require.Equal(t, "198.51.100.7", found.Items[0].IP)
	require.Equal(t, ada.ID, found.Items[0].Subject)
	require.NotEmpty(t, found.Items[0].RequestID)
}

func trail(admin *client.Client, action string) authapi.AuditPage {
	return client.Decode[authapi.AuditPage](admin.Get(authapi.ListAudit.Path + "?action=" + action).Want(http.StatusOK))
}
