// Command atrium is the whole mesh on one machine, and the tools that go with it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/cli"
	"github.com/atrium-mesh/atrium/pkg/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	code := cli.Run(ctx, os.Args[1:], cli.Streams{Out: os.Stdout, Err: os.Stderr, Environment: config.Environ()})
	stop()
	os.Exit(code)
}
