package test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
)

func TestProfileFollowsTheAccount(t *testing.T) {
	t.Parallel()
	m := setup(t)
	id := m.register("Ada Lovelace", "ada@example.com")
	u := m.must(m.as(id), id)
	require.Equal(t, "pending", u.Body.Status)
	require.Equal(t, []string{"user"}, u.Body.Roles)
	require.Equal(t, `"1"`, u.ETag)

	publish(m, auth.AccountVerified, id, auth.AccountVerifiedData{AccountID: id, Email: "ada@example.com", At: time.Now()})
	publish(m, auth.AccountVerified, id, auth.AccountVerifiedData{AccountID: id, Email: "ada@example.com", FullName: "Ada King", At: time.Now()})
	publish(m, auth.RolesChanged, id, auth.RolesChangedData{AccountID: id, Roles: []string{"user", "support"}, Version: 3})
	publish(m, auth.RolesChanged, id, auth.RolesChangedData{AccountID: id, Roles: []string{"user"}, Version: 2})
	signedIn := time.Now().UTC().Truncate(time.Second)
	publish(m, auth.SessionStarted, id, auth.SessionStartedData{AccountID: id, At: signedIn})
	publish(m, auth.SessionStarted, id, auth.SessionStartedData{AccountID: id, At: signedIn.Add(-time.Hour)})
	require.Eventually(t, func() bool {
		u := m.must(m.as(id), id).Body
		return u.Status == "active" && u.EmailVerified && slices.Equal(u.Roles, []string{"user", "support"}) &&
			u.LastSignInAt != nil && u.LastSignInAt.Equal(signedIn) && u.FullName == "Ada King"
	}, wait, tick)
	require.Equal(t, 1, m.published("users.user.updated.v1"), "others hear of the name that came with an accepted invitation")
	require.Zero(t, m.count("dead_letters"))
}

// Somebody who never was is forgotten at once, and does not come back with an event that comes late, or again.
func TestADisownedAccountIsForgotten(t *testing.T) {
	t.Parallel()
	m := setup(t)
	id := m.register("Ada Lovelace", "ada@example.com")
	gone := auth.AccountData{AccountID: id, At: time.Now()}
	publish(m, auth.AccountDisowned, id, gone)
	publish(m, auth.AccountDisowned, id, gone)
	publish(m, auth.AccountRegistered, id, auth.AccountRegisteredData{AccountID: id, Email: "ada@example.com", FullName: "Ada", At: time.Now()})
	other := m.register("Bob", "bob@example.com") // handled after those above: order holds
	require.NotEqual(t, id, other)
	_, err := m.get(m.admin(), id)
	require.ErrorIs(t, err, errs.NotFound)
	require.Equal(t, 1, m.published("users.user.erased.v1"), "everybody else is told once")
	require.Zero(t, m.count("dead_letters"))
}

// What happens to the account happens to the user, when nobody asked for it here.
func TestStatusFollowsTheAccount(t *testing.T) {
	t.Parallel()
	m := setup(t)
	id := m.register("Ada", "ada@example.com")
	tell := func(version int64, is auth.Standing) {
		publish(m, auth.AccountStandingChanged, id, auth.AccountStandingChangedData{
			AccountID: id,
			Standing:  is,
			Version:   version,
			By:        "boss",
			At:        time.Now().UTC(),
		})
	}
	status := func(want string) {
		t.Helper()
		require.Eventually(t, func() bool { return m.must(m.admin(), id).Body.Status == want }, wait, tick)
	}
	tell(2, auth.StandingDisabled)
	status("deactivated")
	tell(1, auth.StandingActive)
	tell(3, auth.StandingDeleted)
	status("deleted")
	require.NotNil(t, m.must(m.admin(), id).Body.EraseAt)
	tell(4, auth.StandingDisabled)
	status("deactivated")
	tell(5, auth.StandingActive)
	status("pending")
	tell(6, auth.StandingErased) // of an account whose address nobody proved: it goes at once
	tell(7, auth.StandingActive)
	require.Eventually(t, func() bool { return m.count("users WHERE id = '"+id.String()+"'") == 0 }, wait, tick)
	require.Equal(t, 1, m.published("users.user.restored.v1"))
	require.Equal(t, 1, m.published("users.user.deactivated.v1"))
	require.Equal(t, 1, m.published("users.user.erased.v1"))
	require.Zero(t, m.count("dead_letters"))
}
