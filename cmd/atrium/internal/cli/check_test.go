package cli_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/cli"
	"github.com/atrium-mesh/atrium/cmd/atrium/internal/local"
	"github.com/atrium-mesh/atrium/pkg/config"
)

// TestCheck walks through a real mesh: with its inbox and an administrator to the end, and without as far as anybody gets.
func TestCheck(t *testing.T) {
	t.Parallel()
	mesh, err := local.Start(t.Context(), local.Config{
		Ephemeral: true, Listen: "127.0.0.1:0", LogLevel: slog.LevelInfo, Terminal: io.Discard,
		AdminEmail: "root@example.com", AdminPassword: "seven green bicycles", Environment: config.Source{},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, mesh.Stop(context.WithoutCancel(t.Context()))) })
	password := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(password, []byte("seven green bicycles\n"), 0o600))

	code, out, errs := run(t, nil, "check", "--gateway", mesh.Origin, "--inbox", mesh.Origin,
		"--admin-email", "root@example.com", "--admin-password-file", password)
	require.Equal(t, cli.ExitOK, code, out+errs)
	require.Regexp(t, `(?s)^✓ sign up: atrium-check-\w+@example\.com\n`+
		`✓ sign in: refused until the address is verified\n`+
		`✓ mail: came, .*`+
		`✓ sign in: tokens came\n`+
		`✓ profile: read from users\n`+
		`✓ sign out: the token is refused\n`+
		`✓ clean up: atrium-check-\w+@example\.com is deleted\n$`, out)
	require.Empty(t, errs, "there was nothing to wait for")

	code, out, errs = run(t, nil, "check", "--gateway", mesh.Origin, "--json")
	require.Equal(t, cli.ExitOK, code, out+errs)
	var report struct {
		Healthy bool
		Items   []struct {
			About, Found string
			OK           bool
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	require.True(t, report.Healthy)
	require.Len(t, report.Items, 3)
	require.Contains(t, report.Items[2].Found, "an administrator can delete it")
}

// TestCheckFails says what is wrong, a line each, and its exit code tells programs.
func TestCheckFails(t *testing.T) {
	t.Parallel()
	code, out, errs := run(t, nil, "check", "--gateway", "http://127.0.0.1:1", "--service", "auth=http://auth.invalid:9090", "--timeout", "100ms")
	require.Equal(t, cli.ExitFailure, code)
	require.Equal(t, "✗ auth: no address of auth.invalid: is there a pod?\n", out)
	require.Contains(t, errs, "the mesh does not work yet")
}

func TestCheckMistakes(t *testing.T) {
	t.Parallel()
	gateway := []string{"check", "--gateway", "http://127.0.0.1:1"}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"check"}, `--gateway "": must be https://host:port`},
		{[]string{"check", "--gateway", "atrium-gateway:8080"}, "must be https://host:port"},
		{append(gateway, "--service", "auth"), "must be name=http://host:port"},
		{append(gateway, "--service", "auth=https://auth:9090"), "must be http://host:port"},
		{append(gateway, "--inbox", "inbox"), "--inbox"},
		{append(gateway, "--admin-email", "root@example.com"), "belong together"},
		{append(gateway, "--timeout", "0s"), "--timeout"},
	} {
		code, out, errs := run(t, nil, c.args...)
		require.Equal(t, cli.ExitUsage, code, c.args)
		require.Contains(t, errs, c.says, c.args)
		require.Empty(t, out, c.args)
	}
}
