package test

import (
	"crypto/sha1" //nolint:gosec // the range API's digest
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/services/auth/api"
)

const breachedPassword = "twelve marble lanterns"

// A password that came out in a breach is refused wherever one is chosen, and nothing of it leaves but five digits of its digest.
func TestBreachedPassword(t *testing.T) {
	t.Parallel()
	sum := sha1.Sum([]byte(breachedPassword)) //nolint:gosec // see above
	digest := strings.ToUpper(hex.EncodeToString(sum[:]))
	var asked atomic.Int32
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if prefix := strings.TrimPrefix(r.URL.Path, "/range/"); prefix == digest[:5] {
			_, _ = fmt.Fprint(w, digest[5:], ":3\r\n")
		}
	}))
	t.Cleanup(service.Close)
	m := setup(t, config.Source{"PASSWORD_BREACH_URL": service.URL + "/range"})
	refused := func(a answer, field string) {
		t.Helper()
		problem := read[errs.Problem](t, a.refused(t, 422, "validation_failed"))
		require.Len(t, problem.Errors, 1)
		require.Equal(t, field, problem.Errors[0].Field)
		require.Equal(t, "password_breached", problem.Errors[0].Code)
		require.NotContains(t, string(a.body), breachedPassword)
	}
	c := m.client(t)

	setupLink := <-m.setup
	refused(c.post("/api/v1/auth/setup", object{
		"token": tokenOf(t, setupLink), "email": "root@example.com", "password": breachedPassword, "full_name": "Root",
	}), "body.password")
	refused(c.post("/api/v1/auth/register", object{"email": newID() + "@example.com", "password": breachedPassword, "full_name": "Eve"}), "body.password")

	ada := m.person(t, "ada@example.com")
	tokens := c.login("ada@example.com", goodPassword)
	refused(c.with(tokens.AccessToken).post("/api/v1/auth/password/change", object{
		"current_password": goodPassword, "new_password": breachedPassword,
	}), "body.new_password")
	refused(c.post("/api/v1/auth/password/reset", object{
		"token": m.link(t, ada, api.LinkResetPassword), "password": breachedPassword,
	}), "body.password")

	grace := uuid.Must(uuid.NewV7())
	_, boss := m.as(t, api.RoleAdmin)
	_, err := op.NATSClient(m.by("users"), api.CreateAccount)(request.WithToken(t.Context(), boss.token), &api.CreateAccountRequest{ID: grace, Email: "grace@example.com", FullName: "Grace"})
	require.NoError(t, err)
	refused(c.post("/api/v1/auth/invitation/accept", object{
		"token": m.link(t, grace, api.LinkInvitation), "password": breachedPassword,
	}), "body.password")

	before := asked.Load()
	refusedLocally := c.post("/api/v1/auth/register", object{"email": newID() + "@example.com", "password": "password1234", "full_name": "Eve"})
	require.Equal(t, "password_common", read[errs.Problem](t, refusedLocally.refused(t, 422, "validation_failed")).Errors[0].Code)
	require.Equal(t, before, asked.Load(), "what is refused here is not asked there")

	service.Close()
	m.register(t, "eve@example.com")
}
