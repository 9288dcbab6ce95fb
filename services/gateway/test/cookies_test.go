package test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
)

// Auth hears why a browser would keep no cookie, from the gateway alone.
func TestCookiesThatABrowserDrops(t *testing.T) {
	t.Parallel()
	secure := start(t, config.Source{"ISSUER": "https://api.example.co.uk", "CORS_ORIGINS": "https://app.example.co.uk,https://app.other.co.uk"})
	plain := start(t, config.Source{"ISSUER": "http://localhost:8080", "CORS_ORIGINS": "http://192.0.2.1:3000"})
	for name, c := range map[string]struct {
		m      *mesh
		header http.Header
		want   string
	}{
		"a program":              {secure, http.Header{}, ""},
		"its own page":           {secure, http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {"https://api.example.co.uk"}}, ""},
		"a page of its site":     {secure, http.Header{"Sec-Fetch-Site": {"same-site"}, "Origin": {"https://app.example.co.uk"}}, ""},
		"a page of another":      {secure, http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://app.other.co.uk"}}, auth.LostCrossSite},
		"a browser of before":    {secure, http.Header{"Origin": {"https://app.example.co.uk"}}, ""},
		"and of another site":    {secure, http.Header{"Origin": {"https://app.other.co.uk"}}, auth.LostCrossSite},
		"plain, on this machine": {plain, http.Header{"Sec-Fetch-Site": {"same-origin"}, "Host": {"localhost:8080"}}, ""},
		"plain, by an address":   {plain, http.Header{"Origin": {"http://192.0.2.1:3000"}, "Host": {"192.0.2.1:8080"}}, auth.LostInsecure},
		"who says so itself":     {secure, http.Header{auth.HeaderCookiesLost: {"nonsense"}}, ""},
	} {
		got := c.m.do(t, request{method: "POST", path: "/api/v1/auth/login", body: "{}", header: c.header})
		require.Equal(t, http.StatusOK, got.Status, name)
		require.Equal(t, c.want, c.m.auth.requests()[0].Header.Get(auth.HeaderCookiesLost), name)
	}
}
