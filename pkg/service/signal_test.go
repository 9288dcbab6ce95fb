package service_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/lifecycle"
	"github.com/atrium-mesh/atrium/pkg/service"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
)

// asProgram makes the test binary run a service's Main; its value says how the service stops.
const asProgram = "ATRIUM_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if how := os.Getenv(asProgram); how != "" {
		service.Main(program(how))
	}
	goleak.VerifyTestMain(m)
}

// program says on standard output where it is.
func program(how string) service.Definition {
	return service.Definition{
		Name: "program",
		Build: func(_ context.Context, _ config.Source, tel *telemetry.Telemetry) (*lifecycle.Group, error) {
			group := lifecycle.NewGroup(tel.Logger)
			group.Add("component", lifecycle.Func(
				func(context.Context) error { return say("started") },
				func(ctx context.Context) error {
					defer func() {
						if how == "slowly" {
							<-ctx.Done()
						}
					}()
					return say("stopping")
				}))
			return group, nil
		},
	}
}

func say(what string) error {
	_, err := fmt.Fprintln(os.Stdout, what)
	return err
}

func launch(t *testing.T, how string) (program *exec.Cmd, lines *bufio.Scanner) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), asProgram+"="+how, "SHUTDOWN_TIMEOUT=10m")
	cmd.Stderr = io.Discard
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines = bufio.NewScanner(out)
	require.True(t, lines.Scan())
	require.Equal(t, "started", lines.Text())
	return cmd, lines
}

func TestMainSignals(t *testing.T) {
	t.Parallel()

	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String()+" stops it cleanly", func(t *testing.T) {
			t.Parallel()
			cmd, lines := launch(t, "at once")
			require.NoError(t, cmd.Process.Signal(signal))
			require.True(t, lines.Scan())
			require.Equal(t, "stopping", lines.Text())
			require.NoError(t, cmd.Wait())
		})
	}

	t.Run("a second signal ends it at once", func(t *testing.T) {
		t.Parallel()
		cmd, lines := launch(t, "slowly")
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		require.True(t, lines.Scan())
		require.Equal(t, "stopping", lines.Text())
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		require.Eventually(t, func() bool { return cmd.Process.Signal(syscall.SIGTERM) != nil }, waitFor, tick)
		var exit *exec.ExitError
		require.ErrorAs(t, <-ended, &exit)
		require.Equal(t, syscall.SIGTERM, exit.Sys().(syscall.WaitStatus).Signal())
	})
}
