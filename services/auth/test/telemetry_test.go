package test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/services/auth/api"
)

// No span says who a person is, or holds anything that could be signed in with.
func TestSpansTellNoSecrets(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	id := m.register(t, "ada@example.com")
	link := m.link(t, id, api.LinkVerifyEmail)
	m.verify(t, link).want(t, 204)
	tokens := m.client(t).login("ada@example.com", goodPassword)
	next := read[api.Tokens](t, m.client(t).refresh(tokens.RefreshToken).want(t, 200))
	m.client(t).post("/api/v1/auth/login", object{"email": "ada@example.com", "password": otherPassword}).refused(t, 401, "invalid_credentials")

	secrets := []string{"ada@example.com", "Lovelace", goodPassword, otherPassword, link, tokens.AccessToken, tokens.RefreshToken, next.RefreshToken, "203.0.113.7"}
	spans := m.Recorder.Spans()
	require.NotEmpty(t, spans)
	names := map[string]bool{}
	for _, s := range spans {
		names[s.Name] = true
		said := fmt.Sprint(s.Name, s.Attributes, s.Events, s.Status)
		for _, secret := range secrets {
			require.False(t, strings.Contains(said, secret), "span %s tells %q", s.Name, secret)
		}
	}
	for _, operation := range []string{"register", "verify-email", "login", "refresh", "send-link", "smtp send"} {
		require.True(t, names[operation], operation)
	}
}
