package test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	auth "github.com/atrium-mesh/atrium/services/auth/api"
)

// What auth tells of somebody whose registration has not been handled here, since it is a dead letter for now, waits for it: the copy
// begins late, and not wrong for ever.
func TestWhatIsToldBeforeTheRegistration(t *testing.T) {
	t.Parallel()
	m := setup(t)
	id := newID()
	publish(m, auth.AccountVerified, id, auth.AccountVerifiedData{AccountID: id, Email: "ada@example.com", At: time.Now().UTC()})
	publish(m, auth.RolesChanged, id, auth.RolesChangedData{AccountID: id, Roles: []string{"support"}, Version: 2, At: time.Now().UTC()})
	publish(m, auth.AccountStandingChanged, id, auth.AccountStandingChangedData{
		AccountID: id,
		Standing:  auth.StandingDisabled,
		Version:   1,
		By:        "boss",
		At:        time.Now().UTC(),
	})
	require.Eventually(t, func() bool { return m.count("dead_letters") == 3 }, wait, tick)
	require.Equal(t, 3, m.count("dead_letters WHERE code = 'user_not_yet' AND retry_at IS NOT NULL"), "which are tried again by themselves")

	publish(m, auth.AccountRegistered, id, auth.AccountRegisteredData{AccountID: id, Email: "ada@example.com", FullName: "Ada", Roles: []string{"user"}, At: time.Now().UTC()})
	require.Eventually(t, func() bool { _, err := m.get(m.admin(), id); return err == nil }, wait, tick)
	_, err := m.db.Exec(t.Context(), "UPDATE dead_letters SET retry_at = now()")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return m.count("dead_letters WHERE resolved_at IS NULL") == 0 }, wait, tick)
	u := m.must(m.admin(), id).Body
	require.Equal(t, "deactivated", u.Status)
	require.Equal(t, []string{"support"}, u.Roles)
	require.True(t, u.EmailVerified)
}

// Nothing that is told late of somebody who was erased is a fault, or brings them back.
func TestWhatIsToldAfterTheErasure(t *testing.T) {
	t.Parallel()
	m := setup(t)
	id := m.register("Ada", "ada@example.com")
	publish(m, auth.AccountDisowned, id, auth.AccountData{AccountID: id, At: time.Now().UTC()})
	require.Eventually(t, func() bool { return m.count("users") == 0 }, wait, tick)
	_, err := m.db.Exec(t.Context(), "DELETE FROM audit_log")
	require.NoError(t, err)
	publish(m, auth.AccountRegistered, id, auth.AccountRegisteredData{AccountID: id, Email: "ada@example.com", FullName: "Ada", Roles: []string{"user"}, At: time.Now().UTC()})
	publish(m, auth.AccountVerified, id, auth.AccountVerifiedData{AccountID: id, Email: "ada@example.com", At: time.Now().UTC()})
	publish(m, auth.RolesChanged, id, auth.RolesChangedData{AccountID: id, Roles: []string{"support"}, Version: 2, At: time.Now().UTC()})
	publish(m, auth.AccountStandingChanged, id, auth.AccountStandingChangedData{AccountID: id, Standing: auth.StandingDisabled, Version: 1})
	m.register("Grace", "grace@example.com") // comes after all of them
	require.Equal(t, 1, m.count("users"))
	require.Zero(t, m.count("dead_letters"))
}
