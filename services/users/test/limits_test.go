package test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	auth "github.com/atrium-mesh/atrium/services/auth/api"
)

// What auth never tells is no profile, whoever tells it: a dead letter, which an operator sees, and those behind it go through.
func TestEvents_keep_the_limits(t *testing.T) {
	t.Parallel()
	m := setup(t)
	ada := m.register("Ada", "ada@example.com")
	eve := auth.AccountRegisteredData{Email: "eve@example.com", FullName: "Eve", Locale: "en", Roles: []string{"user"}, At: time.Now()}
	bad := 0
	for _, change := range []func(*auth.AccountRegisteredData){
		func(d *auth.AccountRegisteredData) { d.FullName = strings.Repeat("e", 80_000) },
		func(d *auth.AccountRegisteredData) { d.FullName = "\u202eevE" },
		func(d *auth.AccountRegisteredData) { d.FullName = " " },
		func(d *auth.AccountRegisteredData) { d.Locale = "no such locale" },
		func(d *auth.AccountRegisteredData) { d.Email = strings.Repeat("e", 255) },
		func(d *auth.AccountRegisteredData) { d.Roles = make([]string, 101) },
	} {
		d := eve
		d.AccountID = newID()
		change(&d)
		publish(m, auth.AccountRegistered, d.AccountID, d)
		bad++
	}
	publish(m, auth.AccountVerified, ada, auth.AccountVerifiedData{AccountID: ada, Email: "ada@example.com", FullName: "Ada\nKing", At: time.Now()})
	bad++
	eve.AccountID = newID()
	publish(m, auth.AccountRegistered, eve.AccountID, eve)
	require.Eventually(t, func() bool { return m.count("users") == 2 }, wait, tick)
	require.Equal(t, bad, m.count("dead_letters"))
	require.Equal(t, "pending", m.must(m.as(ada), ada).Body.Status)
}
