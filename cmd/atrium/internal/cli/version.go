package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/atrium-mesh/atrium/pkg/telemetry"
)

func newVersion(s Streams) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(s.Out, "atrium %s %s/%s %s\n", telemetry.ProgramVersion(), runtime.GOOS, runtime.GOARCH, runtime.Version())
			return err
		},
	}
}
