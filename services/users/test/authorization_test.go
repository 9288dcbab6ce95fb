package test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/services/users/api"
)

// Every operation that is declared is served, to those only who may call it.
func TestEveryOperationAsksWhoCalls(t *testing.T) {
	t.Parallel()
	m := setup(t)
	id := m.register("Ada", "ada@example.com")
	stranger := "Bearer " + m.Issuer.SignUser(newID().String())
	bodies := map[string]string{
		api.CreateUser.OperationID:  `{"email":"x@example.com","full_name":"X"}`,
		api.ReplaceUser.OperationID: `{"full_name":"X","locale":"en","time_zone":"UTC"}`,
		api.UpdateUser.OperationID:  `{"full_name":"X"}`,
		api.UpdateMe.OperationID:    `{"full_name":"X"}`,
	}
	for _, o := range api.Operations() {
		meta := o.Meta()
		path := strings.ReplaceAll(meta.Path, "{id}", id.String())
		for caller, want := range map[string]int{"": http.StatusUnauthorized, "Bearer forged": http.StatusUnauthorized, stranger: http.StatusForbidden} {
			if caller == stranger && strings.HasSuffix(path, "/me") {
				want = http.StatusNotFound // signed in, but not here
			}
			status, body, header := m.raw(meta.Method, path, bodies[meta.ID], map[string]string{"Authorization": caller})
			require.Equal(t, want, status, "%s %s", meta.ID, body)
			require.Equal(t, want == http.StatusUnauthorized, header.Get("WWW-Authenticate") != "", meta.ID)
		}
	}
	require.Equal(t, `"1"`, m.must(m.as(id), id).ETag, "nothing was changed")
	require.Zero(t, m.count("audit_log"))
}
