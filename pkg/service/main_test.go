package service

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/lifecycle"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
)

type greeterConfig struct {
	Greeting string `env:"GREETING,required" doc:"What it says."`
}

// greeter is a service without network: component is what it runs.
func greeter(component lifecycle.Component) Definition {
	return Definition{
		Name: "greeter", About: "says hello.", Config: ConfigOf[greeterConfig](),
		Build: func(_ context.Context, src config.Source, tel *telemetry.Telemetry) (*lifecycle.Group, error) {
			if _, err := config.Load[greeterConfig](src); err != nil {
				return nil, err
			}
			group := lifecycle.NewGroup(tel.Logger)
			group.Add("component", component)
			return group, nil
		},
	}
}

func idle() lifecycle.Component { return lifecycle.Func(nil, nil) }

func execute(ctx context.Context, d Definition, src config.Source, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = command{Definition: d, source: src, stdout: &out, stderr: &errs}.run(ctx, args)
	return code, out.String(), errs.String()
}

func TestMainCommand(t *testing.T) {
	t.Parallel()

	t.Run("help prints what it is and every variable", func(t *testing.T) {
		t.Parallel()
		code, stdout, stderr := execute(t.Context(), greeter(idle()), nil, "--help")
		require.Equal(t, exitOK, code)
		require.Empty(t, stderr)
		for _, want := range []string{"greeter: says hello.", "GREETING ", "(required)", "What it says.", "SHUTDOWN_TIMEOUT ", "LOG_LEVEL ", "OTEL_EXPORTER_OTLP_ENDPOINT "} {
			require.Contains(t, stdout, want)
		}
	})

	t.Run("version", func(t *testing.T) {
		t.Parallel()
		code, stdout, _ := execute(t.Context(), greeter(idle()), nil, "--version")
		require.Equal(t, exitOK, code)
		require.Regexp(t, `^greeter \S+\n$`, stdout)
	})

	t.Run("other arguments are refused", func(t *testing.T) {
		t.Parallel()
		code, _, stderr := execute(t.Context(), greeter(idle()), nil, "--port=80")
		require.Equal(t, exitUsage, code)
		require.Contains(t, stderr, "--help")
	})

	t.Run("problems of service and process are one list", func(t *testing.T) {
		t.Parallel()
		code, stdout, stderr := execute(t.Context(), greeter(idle()), config.Source{"LOG_FORMAT": "xml", "SHUTDOWN_TIMEOUT": "0s"})
		require.Equal(t, exitUsage, code)
		require.Empty(t, stdout)
		require.Equal(t, `greeter: the configuration is not valid:
  - GREETING is required and not set.
  - LOG_FORMAT must be one of json, text.
  - SHUTDOWN_TIMEOUT must be more than zero.

Run it with --help to see all variables.
`, stderr)
	})

	t.Run("runs until it is told to stop", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		stopping := lifecycle.Func(func(context.Context) error { cancel(); return nil }, nil)
		code, _, stderr := execute(ctx, greeter(stopping), config.Source{"GREETING": "hello"})
		require.Equal(t, exitOK, code)
		require.Contains(t, stderr, `"service starts"`)
		require.Contains(t, stderr, `"service stopped"`)
	})

	t.Run("a failure has its own exit code", func(t *testing.T) {
		t.Parallel()
		failing := lifecycle.Go(func(context.Context) error { return errors.New("out of breath") })
		code, _, stderr := execute(t.Context(), greeter(failing), config.Source{"GREETING": "hello"})
		require.Equal(t, exitFailure, code)
		require.Contains(t, stderr, "greeter: component failed: out of breath\n")
	})
}

func TestDefinition(t *testing.T) {
	t.Parallel()
	d := greeter(idle())
	require.NoError(t, d.Check(config.Source{"GREETING": "hello"}))
	require.ErrorContains(t, d.Check(nil), "GREETING")
	require.Equal(t, "GREETING", d.Variables()[0].Name)
	require.Len(t, d.Config.Variables, 1, "Variables does not change the definition")
	require.NoError(t, Definition{}.Check(nil))
}
