package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

// TestDNSRebinding: a page whose name was made to resolve to this machine reads no mail, no trace and none of the gateway's own pages.
func TestDNSRebinding(t *testing.T) {
	t.Parallel()
	m := mesh.Up(t)
	browser := &http.Client{Timeout: 10 * time.Second}
	status := func(path, host string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.Origin+path, http.NoBody)
		require.NoError(t, err)
		r.Host = host
		resp, err := browser.Do(r)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode
	}
	for _, path := range []string{"/dev/inbox", "/dev/inbox/messages", "/dev/traces", "/docs", "/openapi.json"} {
		require.Equal(t, http.StatusForbidden, status(path, "rebound.example:8080"), path)
		require.Equal(t, http.StatusOK, status(path, "127.0.0.1:8080"), path)
		require.Equal(t, http.StatusOK, status(path, "localhost"), path)
	}
}
