package test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/services/auth/api"
)

// A token that somebody forges with a stolen key, and that auth has seen, is refused as soon as the key is withdrawn: for as long as it
// says that it is good, and whatever it says about when it was issued.
func TestKeys_withdrawn(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	const email = "ada@example.com"
	m.assign(t, m.person(t, email), api.RoleAdmin)
	admin := m.client(t).with(m.client(t).login(email, goodPassword).AccessToken)
	_, person := m.as(t, api.RoleUser)
	person.get("/api/v1/auth/sessions").want(t, 200)
	stolen := read[api.SigningKeys](t, admin.get("/api/v1/auth/keys").want(t, 200)).Keys[0].KeyID

	replaced := read[api.SigningKeys](t, admin.post("/api/v1/auth/keys/rotate", object{"compromised": true}).want(t, 200)).Keys
	began := time.Now()
	m.soonRefusedAs(t, person.token, token.CodeInvalid)
	require.Less(t, time.Since(began), 3*time.Second)
	m.soonRefusedAs(t, admin.token, token.CodeInvalid)

	var marks, told int
	require.NoError(t, m.pool.QueryRow(t.Context(), "SELECT count(*) FROM watermarks WHERE scope = 'key' AND id = $1 AND expires_at > now() + interval '29 days'",
		token.KeyID(stolen)).Scan(&marks))
	require.Equal(t, 1, marks)
	require.NoError(t, m.pool.QueryRow(t.Context(), "SELECT count(*) FROM outbox WHERE type = $1 AND subject = $2",
		api.WatermarkRaised.Name, token.KeyID(stolen)).Scan(&told))
	require.Equal(t, 1, told)

	again := m.client(t).with(m.client(t).login(email, goodPassword).AccessToken)
	require.Equal(t, replaced, read[api.SigningKeys](t, again.get("/api/v1/auth/keys").want(t, 200)).Keys, "the new key's tokens are good")
}
