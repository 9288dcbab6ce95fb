package cli

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/demo"
	"github.com/atrium-mesh/atrium/cmd/atrium/internal/local"
)

func TestSummary(t *testing.T) {
	t.Parallel()
	mesh := func() *local.Mesh {
		return &local.Mesh{
			Origin: "http://localhost:8080", Took: 1840 * time.Millisecond, Loopback: true, LogPath: "/data/logs/atrium.log",
			Folder: &local.Folder{Path: "/data"},
		}
	}

	t.Run("the first start shows the way to the first administrator", func(t *testing.T) {
		t.Parallel()
		m := mesh()
		m.SetupURL = "http://localhost:8080/account/setup?token=once"
		text := summary{mesh: m}.String()
		for _, want := range []string{
			"ready in 1.84 s", "http://localhost:8080/docs", "/redoc", "/openapi.json", "http://localhost:8080/dev/inbox",
			"http://localhost:8080/dev/traces", "/data/logs/atrium.log", "account/setup?token=once", "curl http://localhost:8080/api/v1/auth/register",
		} {
			require.Contains(t, text, want)
		}
		require.NotContains(t, text, "\x1b", "no colours where none were asked for")
		require.NotContains(t, text, "Mind:")
	})
	t.Run("a generated password is shown, a given one is not", func(t *testing.T) {
		t.Parallel()
		m := mesh()
		require.NotContains(t, summary{mesh: m, admin: "me@example.com"}.String(), "generated-secret")
		m.AdminPassword = "generated-secret"
		require.Contains(t, summary{mesh: m, admin: "me@example.com"}.String(), "me@example.com  generated-secret")
	})
	t.Run("the demo tells who to be", func(t *testing.T) {
		t.Parallel()
		text := summary{mesh: mesh(), admin: "me@example.com", demoPassword: "pw", demo: demo.Result{Made: 25, Sent: 5, SignInAs: "ada@example.com"}}.String()
		require.Contains(t, text, "ada@example.com  pw")
		require.Contains(t, text, "25 people and 5 notifications")
		text = summary{mesh: mesh(), admin: "me@example.com", demoErr: errors.New("who are you")}.String()
		require.Contains(t, text, "The demo is not complete: who are you")
	})
	t.Run("a listener for everybody is warned about", func(t *testing.T) {
		t.Parallel()
		m := mesh()
		m.Loopback, m.Postgres = false, "127.0.0.1:5433"
		text := summary{mesh: m, painter: painter{on: true}}.String()
		require.Contains(t, text, "can read the inbox")
		require.Contains(t, text, "127.0.0.1:5433")
		require.Contains(t, text, "\x1b[1m")
	})
}
