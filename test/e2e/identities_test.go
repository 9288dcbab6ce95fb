package e2e_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/pkg/token/tokentest"
	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	usersapi "github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

// pretends: nothing that a client says of itself makes it somebody else.
func (w *world) pretends(t *testing.T) {
	t.Helper()
	header := http.Header{}
	for _, name := range []string{"X-User-Id", "X-User", "Remote-User", "X-Auth-Request-User", "X-Atrium-Subject", "Atrium-Subject", "X-Forwarded-User"} {
		header.Set(name, w.adminID())
	}
	header.Set("X-Http-Method-Override", http.MethodDelete)
	w.visitor.For(t).Do(client.Request{Method: http.MethodGet, Path: usersapi.GetMe.Path, Header: header}).
		WantProblem(http.StatusUnauthorized, token.CodeMissing)
	w.ada.For(t).Do(client.Request{Method: http.MethodGet, Path: usersapi.ListUsers.Path, Header: header}).
		WantProblem(http.StatusForbidden, "permission_denied")
	w.ada.For(t).Do(client.Request{Method: http.MethodGet, Path: usersapi.ListUsers.Path + "?access_token=" + w.admin.Access}).
		WantProblem(http.StatusUnauthorized, "token_in_url")

	header = http.Header{"X-Forwarded-For": {"198.51.100.7"}, "X-Real-Ip": {"198.51.100.7"}, "Forwarded": {"for=198.51.100.7"}}
	device := w.visitor.For(t).Device("e2e/pretender")
	a := device.Do(client.Request{
		Method: http.MethodPost, Path: authapi.Login.Path, Header: header, Body: map[string]string{"email": w.person.Email, "password": w.person.Password},
	}).Want(http.StatusOK)
	device.Access = client.Decode[authapi.Tokens](a).AccessToken
	for _, session := range client.Decode[authapi.SessionPage](device.Get(authapi.ListSessions.Path).Want(http.StatusOK)).Items {
		require.NotContains(t, session.IP, "198.51.100")
	}
}

// TestBadTokens: a token that is not whole, not ours, not meant for us or not valid any more is refused at every operation.
func TestBadTokens(t *testing.T) {
	t.Parallel()
	issuer := tokentest.NewIssuer(t)
	trusted, err := json.Marshal([]map[string]any{{
		"url": issuer.URL, "jwks_url": issuer.JWKSURL, "audience": tokentest.Audience, "permissions": []string{"users:read"},
	}})
	require.NoError(t, err)
	m := mesh.Processes(t, mesh.Options{Env: map[string]string{"TRUSTED_ISSUERS": string(trusted)}})
	w := newWorld(t, m)
	me, change := usersapi.GetMe.Path, map[string]string{"full_name": "Mallory"}
	before := w.state(t)

	t.Run("of a further issuer", func(t *testing.T) {
		t.Parallel()
		claims := tokentest.Claims{Permissions: []string{"users:read", "users:write"}}
		good := w.visitor.For(t).WithToken(issuer.Sign(claims))
		good.Get(usersapi.ListUsers.Path).Want(http.StatusOK)
		good.Patch("/api/v1/users/"+w.person.ID, "", change).WantProblem(http.StatusForbidden, "permission_denied") // it may not grant that
		for _, bad := range issuer.Bad(claims) {
			if bad.Name == "wrong_type" {
				continue // further issuers sign what they call JWT
			}
			c := w.visitor.For(t).WithToken(bad.Token)
			c.Get(usersapi.ListUsers.Path).WantProblem(http.StatusUnauthorized, bad.Code)
			c.Patch("/api/v1/users/"+w.person.ID, "", change).WantProblem(http.StatusUnauthorized, bad.Code)
		}
	})

	t.Run("of our own", func(t *testing.T) {
		t.Parallel()
		for name, raw := range ourBad(t, issuer, m, w.ada.Access) {
			c := w.visitor.For(t).WithToken(raw)
			a := c.Get(me)
			require.Equal(t, http.StatusUnauthorized, a.Status, name)
			a.WantProblem(http.StatusUnauthorized, token.CodeInvalid)
			c.Patch(usersapi.UpdateMe.Path, "", change).WantProblem(http.StatusUnauthorized, token.CodeInvalid)
			_, response, err := c.DialWebSocket(http.Header{"Authorization": {"Bearer " + raw}}, "")
			require.Error(t, err, name)
			require.Equal(t, http.StatusUnauthorized, response.StatusCode, name)
		}
		for name, header := range map[string]string{"another scheme": "Basic " + w.ada.Access, "no scheme": w.ada.Access, "nothing after it": "Bearer "} {
			a := w.visitor.For(t).Do(client.Request{Method: http.MethodGet, Path: me, Header: http.Header{"Authorization": {header}}})
			require.Equal(t, token.CodeMissing, a.Problem().Code, name)
		}
	})
	t.Cleanup(func() { require.Equal(t, before, w.state(t), "nothing has changed") })
}

// ourBad is made from a token of Ada's: what says it is of our issuer, and is not.
func ourBad(t *testing.T, thief *tokentest.Issuer, m *mesh.Mesh, whole string) map[string]string {
	t.Helper()
	parts := strings.Split(whole, ".")
	header, claims := decode(t, parts[0]), decode(t, parts[1])
	forged := tokentest.Claims{Extra: claims, Header: map[string]any{"kid": header["kid"]}}
	none, more := tokentest.Claims{Extra: claims, Header: map[string]any{"kid": header["kid"]}}, map[string]any{}
	maps.Copy(more, claims)
	more["scope"] = "users:read users:write"
	require.Equal(t, m.Origin, claims["iss"])
	return map[string]string{
		"signed by somebody else":          thief.Sign(forged),
		"alg none":                         thief.AlgNone(none),
		"HS256 with a public key":          thief.HS256WithPublicKey(none),
		"signature of another":             parts[0] + "." + parts[1] + "." + strings.Repeat("A", len(parts[2])),
		"more rights than were signed":     parts[0] + "." + encode(t, more) + "." + parts[2],
		"signature cut off":                parts[0] + "." + parts[1] + ".",
		"a refresh token":                  "AaIJKKDPdsmi5_osg6-dsALunigQqpMj4blUPDvysAbiPiFVsAHMUbaLn2OPjsaS",
		"one of a trusted issuer, as ours": thief.Sign(tokentest.Claims{Extra: map[string]any{"iss": m.Origin, "aud": "atrium"}}),
	}
}

func decode(t *testing.T, segment string) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(segment)
	require.NoError(t, err)
	var v map[string]any
	require.NoError(t, json.Unmarshal(raw, &v))
	return v
}

func encode(t *testing.T, v map[string]any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return base64.RawURLEncoding.EncodeToString(raw)
}
