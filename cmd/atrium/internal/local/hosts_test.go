package local

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/inbox"
	"github.com/atrium-mesh/atrium/cmd/atrium/internal/traces"
)

// Whatever the listener, a name that somebody else's DNS server made ours reads nothing.
func TestDevPagesAreServedUnderOurNames(t *testing.T) {
	t.Parallel()
	mail, err := inbox.Open(t.TempDir(), time.Now)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, mail.Close()) })
	handler, err := devHandler(mail, traces.NewStore(), Hosts{"inbox", "Mail.Example."})
	require.NoError(t, err)
	ask := func(method, path, host, origin string) *httptest.ResponseRecorder {
		request := httptest.NewRequestWithContext(t.Context(), method, path, nil)
		request.Host = host
		if origin != "" {
			request.Header.Set("Origin", origin)
		}
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		return recorder
	}
	for _, host := range []string{
		"localhost:8080", "localhost", "LOCALHOST.:8080", "atrium.localhost:8080", "127.0.0.1:8080", "192.0.2.7:8025", "[::1]:8080", "[2001:db8::1]",
		"inbox:8025", "mail.example:8025", "mail.example.",
	} {
		require.Equal(t, http.StatusOK, ask(http.MethodGet, "/dev/inbox/messages", host, "").Code, host)
	}
	for _, host := range []string{
		"rebound.example:8080", "rebound.example", "localhost.rebound.example", "notlocalhost", "127.0.0.1.rebound.example:8080", "inbox.rebound.example",
		"a.mail.example", "", ":8080",
	} {
		for _, path := range []string{"/dev/inbox/messages", "/dev/inbox", "/dev/traces", "/dev/traces.json", "/dev/assets/dev.css", "/dev/"} {
			got := ask(http.MethodGet, path, host, "")
			require.Equal(t, http.StatusForbidden, got.Code, "%s at %q", path, host)
			require.Contains(t, got.Body.String(), "--allow-host")
		}
	}
	require.Equal(t, http.StatusForbidden, ask(http.MethodDelete, "/dev/inbox/messages", "localhost:8080", "https://evil.example").Code)
	require.Equal(t, http.StatusNoContent, ask(http.MethodDelete, "/dev/inbox/messages", "localhost:8080", "http://localhost:8080").Code)
}
