package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
)

// Exit codes of a service.
const (
	exitOK      = 0
	exitFailure = 1 // it could not start, failed, or did not stop cleanly
	exitUsage   = 2 // the command line or the configuration is wrong: starting again will not help
)

// Main is the whole main function of a service. SIGINT and SIGTERM stop it cleanly; a second one ends it at once.
func Main(d Definition) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // from here on the signals have their usual effect
	code := command{Definition: d, source: config.Environ(), stdout: os.Stdout, stderr: os.Stderr}.run(ctx, os.Args[1:])
	stop()
	os.Exit(code) //nolint:revive // this is what main calls, and all it does
}

// command is one execution of a service's program.
type command struct {
	Definition
	source         config.Source
	stdout, stderr io.Writer
}

func (c command) run(ctx context.Context, args []string) int {
	switch {
	case len(args) == 0:
		return c.serve(ctx)
	case len(args) == 1 && (args[0] == "--help" || args[0] == "-h"):
		return c.help()
	case len(args) == 1 && args[0] == "--version":
		fmt.Fprintln(c.stdout, c.Name, telemetry.ProgramVersion())
		return exitOK
	default:
		fmt.Fprintf(c.stderr, "%s takes no arguments but --help and --version; it is configured by environment variables.\n", c.Name)
		return exitUsage
	}
}

func (c command) serve(ctx context.Context) int {
	err := Run(ctx, c.Definition, c.source, telemetry.WithLogOutput(c.stderr))
	if invalid, ok := errors.AsType[*config.Error](err); ok {
		fmt.Fprintf(c.stderr, "%s: %v\n\nRun it with --help to see all variables.\n", c.Name, invalid)
		return exitUsage
	}
	if err != nil {
		fmt.Fprintln(c.stderr, err)
		return exitFailure
	}
	return exitOK
}

func (c command) help() int {
	fmt.Fprintf(c.stdout, "%s: %s\n\n"+
		"It is configured by environment variables. NAME_FILE names a file that holds the value of NAME.\n"+
		"Options: --help, --version.\n\n", c.Name, c.About)
	if err := config.WriteTable(c.stdout, c.Variables()); err != nil {
		fmt.Fprintln(c.stderr, err)
		return exitFailure
	}
	return exitOK
}
