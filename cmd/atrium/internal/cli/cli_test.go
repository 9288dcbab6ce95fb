package cli_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/cli"
	"github.com/atrium-mesh/atrium/pkg/config"
)

// run executes a command line in an environment that has nothing but what is given.
func run(t *testing.T, environment config.Source, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = cli.Run(t.Context(), args, cli.Streams{Out: &stdout, Err: &stderr, Environment: environment})
	return code, stdout.String(), stderr.String()
}

func TestMistakesInTheCommandLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"dwon"}, `no command "dwon"`},
		{[]string{"up", "now"}, "takes no arguments"},
		{[]string{"up", "--prot", "1"}, "unknown flag"},
		{[]string{"up", "--log-level", "loud"}, "--log-level loud"},
		{[]string{"up", "--ephemeral", "--data", "x"}, "give one of them"},
		{[]string{"up", "--admin-password", "seven green bicycles"}, "--admin-email"},
		{[]string{"up", "--postgres-port", "70000"}, "--postgres-port"},
		{[]string{"events", "replay", "--service", "users"}, "--since is required"},
		{[]string{"events", "replay", "--service", "users", "--since", "yesterday"}, "--since yesterday"},
		{[]string{"events", "replay", "--service", "gateway", "--since", "1h"}, "--service must be one of"},
		{[]string{"dead-letters", "replay", "--service", "users"}, "or say --all"},
		{[]string{"dead-letters", "replay", "--service", "users", "--all", "0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"}, "or say --all"},
		{[]string{"dead-letters", "replay", "--service", "users", "7"}, `"7" is not the id`},
	} {
		code, out, errs := run(t, nil, c.args...)
		require.Equal(t, cli.ExitUsage, code, c.args)
		require.Contains(t, errs, c.says, c.args)
		require.Empty(t, out, c.args)
	}
}

func TestHelpKeepsSecrets(t *testing.T) {
	t.Parallel()
	environment := config.Source{"ATRIUM_ADMIN_PASSWORD": "hunter2hunter2", "DATABASE_URL": "postgres://u:hunter2hunter2@db/x"}
	for _, command := range []string{"up", "events replay", "dead-letters list"} {
		code, out, _ := run(t, environment, append(strings.Fields(command), "--help")...)
		require.Equal(t, cli.ExitOK, code)
		require.NotContains(t, out, "hunter2", command)
		require.Contains(t, out, "--data", command)
	}
}

func TestOperations(t *testing.T) {
	t.Parallel()
	code, out, _ := run(t, nil, "operations", "--service", "users")
	require.Equal(t, cli.ExitOK, code)
	require.Regexp(t, `GET +/api/v1/users/\{id\} +rpc\.users\.get-user +oneself or users:read +api +5s +get-user`, out)
	require.NotContains(t, out, "/api/v1/auth/login")

	_, out, _ = run(t, nil, "operations", "LOGIN", "--json")
	var list struct {
		Items []map[string]any `json:"items"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &list))
	require.Len(t, list.Items, 1)
	require.Equal(t, "auth", list.Items[0]["service"])
	require.Equal(t, "sign-in", list.Items[0]["limit"])
	_, out, _ = run(t, nil, "operations", "nothing-is-called-this", "--json")
	require.JSONEq(t, `{"items":[]}`, out)
}

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	code, out, _ := run(t, nil, "openapi", "--server", "https://api.example.com")
	require.Equal(t, cli.ExitOK, code)
	var document struct {
		OpenAPI string           `json:"openapi"`
		Paths   map[string]any   `json:"paths"`
		Servers []map[string]any `json:"servers"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &document))
	require.Regexp(t, `^3\.1\.`, document.OpenAPI)
	require.Contains(t, document.Paths, "/api/v1/auth/register")
	require.Contains(t, document.Paths, "/api/v1/users/{id}")
	require.Equal(t, "https://api.example.com", document.Servers[0]["url"])
}

func TestConfig(t *testing.T) {
	t.Parallel()
	code, out, _ := run(t, nil, "config")
	require.Equal(t, cli.ExitOK, code)
	for _, want := range []string{"## Every service", "## gateway", "| `NATS_URL` |", "| `RATE_LIMIT_API` |", "| `SECRET_KEY` (s) |"} {
		require.Contains(t, out, want)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	code, out, _ := run(t, nil, "version")
	require.Equal(t, cli.ExitOK, code)
	require.Regexp(t, `^atrium \S+ \w+/\w+ go1\.`, out)
}

func TestDoctor(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	code, out, errs := run(t, nil, "doctor", "--data", data, "--listen", "127.0.0.1:0")
	require.Equal(t, cli.ExitOK, code, out+errs)
	require.Contains(t, out, "which the first start makes")
	require.NoDirExists(t, data, "looking changes nothing")

	code, out, errs = run(t, nil, "doctor", "--data", data, "--listen", "nonsense:port", "--json")
	require.Equal(t, cli.ExitFailure, code)
	require.Contains(t, errs, "cannot run the mesh yet")
	var report struct {
		Healthy bool                `json:"healthy"`
		Items   []map[string]string `json:"items"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	require.False(t, report.Healthy)
	for _, check := range report.Items {
		if check["name"] == "Port" {
			require.Equal(t, "failed", check["status"])
			require.NotEmpty(t, check["advice"])
		}
	}
}
