package users_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/service"
	"github.com/atrium-mesh/atrium/services/users"
)

// asProgram makes the test binary be the program.
const asProgram = "ATRIUM_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		service.Main(users.Service())
	}
	m.Run()
}

func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = []string{asProgram + "=1"}
	return cmd
}

func TestHelp(t *testing.T) {
	t.Parallel()
	out, err := program(t, "--help").Output()
	require.NoError(t, err)
	require.Contains(t, string(out), "users: who people are")
	for _, v := range users.Service().Variables() {
		require.Contains(t, string(out), v.Name+" ")
	}
	require.Contains(t, string(out), "ERASURE_GRACE ")
	require.Contains(t, string(out), "DATABASE_URL ")
}

func TestWrongConfigurationIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	cmd := program(t)
	cmd.Env = append(cmd.Env, "ERASURE_GRACE=soon")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 2, exit.ExitCode(), "starting again will not help")
	for _, name := range []string{"DATABASE_URL", "SECRET_KEY", "ERASURE_GRACE"} {
		require.Contains(t, string(out), name)
	}
}
