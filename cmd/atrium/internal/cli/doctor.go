package cli

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/doctor"
)

func newDoctor(s Streams) *cobra.Command {
	var cfg doctor.Config
	var asJSON bool
	c := &cobra.Command{
		Use: "doctor", Short: "Check whether this machine can run the mesh, and say what to do", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			checks := doctor.Run(c.Context(), cfg)
			write := func() error { return writeChecks(s.Out, checks, colourful(s.Out, s.Environment)) }
			if asJSON {
				write = func() error {
					return writeJSON(s.Out, map[string]any{"items": checks, "healthy": doctor.Healthy(checks)})
				}
			}
			if err := write(); err != nil {
				return err
			}
			if !doctor.Healthy(checks) {
				return errors.New("this machine cannot run the mesh yet; see above")
			}
			return nil
		},
	}
	c.Flags().StringVar(&cfg.Listen, "listen", listenDefault, "address to check for `atrium up`")
	c.Flags().StringVar(&cfg.Data, "data", dataDefault, "data folder to check for `atrium up`")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func writeChecks(w io.Writer, checks []doctor.Check, colours bool) error {
	p := painter{colours}
	for _, c := range checks {
		mark := map[doctor.Status]string{doctor.OK: p.green("✓"), doctor.Warning: p.yellow("!"), doctor.Failed: p.red("✗")}[c.Status]
		if _, err := fmt.Fprintf(w, "%s %-12s %s\n", mark, c.Name, c.Found); err != nil {
			return err
		}
		if c.Advice != "" {
			fmt.Fprintf(w, "  %-12s %s %s\n", "", p.dim("→"), c.Advice)
		}
	}
	return nil
}
