package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/atrium-mesh/atrium/services/gateway"
)

func newOpenAPI(s Streams) *cobra.Command {
	var server string
	c := &cobra.Command{
		Use: "openapi", Short: "Print the OpenAPI document of all services", Args: noArgs,
		Long: "Prints the OpenAPI 3.1 document that the gateway serves at /openapi.json: every operation of every service. Nothing needs to run.",
		RunE: func(*cobra.Command, []string) error {
			encoder := json.NewEncoder(s.Out)
			encoder.SetEscapeHTML(false)
			encoder.SetIndent("", "  ")
			if err := encoder.Encode(gateway.OpenAPI(server)); err != nil {
				return fmt.Errorf("write the OpenAPI document: %w", err)
			}
			return nil
		},
	}
	c.Flags().StringVar(&server, "server", "http://localhost:8080", "origin that clients of the document call")
	return c
}
