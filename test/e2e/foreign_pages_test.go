package e2e_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	usersapi "github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

// page is what a browser adds to the requests of a page.
func page(site, origin string, more ...string) http.Header {
	h := http.Header{"Sec-Fetch-Site": {site}, "Origin": {origin}}
	for pair := range slices.Chunk(more, 2) {
		h.Set(pair[0], pair[1])
	}
	return h
}

// TestForeignPages: pages of other sites do not act with a person's cookies, whatever they send beside them; those that could not keep
// cookies are told so; and credentials that two readers could read differently are refused.
func TestForeignPages(t *testing.T) {
	t.Parallel()
	const partner = "https://app.partner.example"
	m := mesh.Processes(t, mesh.Options{EnvOf: map[string]string{"gateway.CORS_ORIGINS": partner}})
	c := visitor(t, m)
	person, ada := c.SignUp("ada")
	browser := c.Browser("e2e/browser")
	login := map[string]string{"email": person.Email, "password": person.Password, "transport": authapi.TransportCookie}

	// A page that could not keep cookies gets no success without tokens, and no session is made.
	browser.Do(client.Request{
		Method: http.MethodPost,
		Path:   authapi.Login.Path,
		Body:   login,
		Header: page("cross-site", partner),
	}).
		WantProblem(http.StatusUnprocessableEntity, "cookies_not_possible").WantField("body.transport", "cookies_not_possible")
	require.Len(t, client.Decode[authapi.SessionPage](ada.Get(authapi.ListSessions.Path).Want(http.StatusOK)).Items, 1)
	inBody := map[string]string{"email": person.Email, "password": person.Password}
	browser.Do(client.Request{
		Method: http.MethodPost,
		Path:   authapi.Login.Path,
		Body:   inBody,
		Header: page("cross-site", partner),
	}).Want(http.StatusOK)
	browser.Do(client.Request{
		Method: http.MethodPost,
		Path:   authapi.Login.Path,
		Body:   login,
		Header: page("same-origin", m.Origin),
	}).Want(http.StatusOK)
	require.Contains(t, browser.Cookies(authapi.Refresh.Path), authapi.CookieRefresh)

	for _, authorization := range []string{"", "Bearer nonsense", "Bearer", "Basic YWRhOnNlY3JldA=="} {
		for _, path := range []string{authapi.Logout.Path, authapi.Refresh.Path} {
			h := page("cross-site", "https://evil.example", "Authorization", authorization)
			browser.Do(client.Request{Method: http.MethodPost, Path: path, Header: h}).WantProblem(http.StatusForbidden, "cross_origin_refused")
		}
	}
	browser.Get(usersapi.GetMe.Path).Want(http.StatusOK) // nobody signed them out
	browser.Do(client.Request{Method: http.MethodPost, Path: authapi.Refresh.Path, Header: page("same-origin", m.Origin)}).Want(http.StatusOK)

	// A cookie that a neighbouring host has added to ours.
	tossed := http.Header{"Cookie": {authapi.CookieRefresh + "=evil; " + authapi.CookieRefresh + "=" + ada.Refresh}}
	for _, path := range []string{authapi.Logout.Path, authapi.Refresh.Path} {
		c.Do(client.Request{Method: http.MethodPost, Path: path, Header: tossed}).WantProblem(http.StatusBadRequest, "credentials_ambiguous")
	}
	c.Do(client.Request{Method: http.MethodGet, Path: usersapi.GetMe.Path, Header: http.Header{"Authorization": {"Bearer " + ada.Access, "Bearer x"}}}).
		WantProblem(http.StatusBadRequest, "malformed_header")
	ada.RefreshTokens()
}
