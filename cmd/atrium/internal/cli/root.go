// Package cli owns the commands of the atrium program: what they are called, their flags and help, and what they print.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/atrium-mesh/atrium/pkg/config"
)

// Streams are what a command reads and writes besides files.
type Streams struct {
	Out, Err    io.Writer
	Environment config.Source
}

// Exit codes.
const (
	ExitOK      = 0
	ExitFailure = 1
	ExitUsage   = 2
)

// usageError is a mistake in the command line.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// Run executes the command line and returns the exit code. It ends when ctx does.
func Run(ctx context.Context, args []string, s Streams) int {
	root := newRoot(s) //nolint:contextcheck // cobra hands it to the commands
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil, ctx.Err() != nil && errors.Is(err, context.Canceled):
		return ExitOK
	case isUsage(err):
		fmt.Fprintf(s.Err, "%v\nRun 'atrium --help' for what there is.\n", err)
		return ExitUsage
	default:
		fmt.Fprintln(s.Err, "atrium:", err)
		return ExitFailure
	}
}

func isUsage(err error) bool {
	_, ok := errors.AsType[usageError](err)
	return ok
}

func newRoot(s Streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "atrium",
		Short: "The backend that a product needs before its first feature, on this machine",
		Long: "Atrium is the backend that a product needs before its first feature: people sign up, sign in, are managed and are notified.\n" +
			"This program runs all of it on this machine (atrium up), tells what it offers (atrium operations, atrium openapi) and repairs it\n" +
			"(atrium events, atrium dead-letters).",
		SilenceUsage: true, SilenceErrors: true,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("there is no command %q", args[0])
			}
			return c.Help()
		},
		Args: cobra.ArbitraryArgs,
	}
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(newUp(s), newDoctor(s), newOperations(s), newOpenAPI(s), newConfig(s), newInbox(s), newCheck(s), newEvents(s), newDeadLetters(s), newVersion(s))
	return root
}

// noArgs refuses arguments, as a mistake in the command line.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no arguments, but got %q", c.CommandPath(), args[0])
	}
	return nil
}

// colourful says that w is a terminal whose person has nothing against colours (https://no-color.org).
func colourful(w io.Writer, environment config.Source) bool {
	file, ok := w.(*os.File)
	if !ok || environment["NO_COLOR"] != "" || environment["TERM"] == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
