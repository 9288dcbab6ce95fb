package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/service"
	"github.com/atrium-mesh/atrium/services/auth"
	"github.com/atrium-mesh/atrium/services/gateway"
	"github.com/atrium-mesh/atrium/services/notifications"
	"github.com/atrium-mesh/atrium/services/users"
)

func newConfig(s Streams) *cobra.Command {
	return &cobra.Command{
		Use: "config", Short: "Print every variable of every service, as Markdown", Args: noArgs,
		Long: "Prints docs/configuration.md: the environment variables that each service is configured with. `atrium up` sets them itself.",
		RunE: func(*cobra.Command, []string) error {
			return writeConfiguration(s.Out, []service.Definition{auth.Service(), users.Service(), notifications.Service(), gateway.Service()})
		},
	}
}

const configurationPreface = `# Configuration

<!-- Made by "atrium config"; "make generate" writes it again. -->

Every service is configured by environment variables. A variable KEY can also be given as KEY_FILE, the name of a file that
holds the value, which is how secrets are mounted. An empty value means "not set". A service reports everything that is wrong
at once, and does not start. Durations look like 500ms, 30s or 1h30m; secrets are marked with (s).
`

// writeConfiguration writes what all services share first, then what each has of its own.
func writeConfiguration(w io.Writer, services []service.Definition) error {
	shared := slices.DeleteFunc(services[0].Variables(), func(v config.Variable) bool {
		return slices.ContainsFunc(services, func(d service.Definition) bool { return !hasVariable(d.Variables(), v) })
	})
	var b strings.Builder
	b.WriteString(configurationPreface)
	writeVariables(&b, "Every service", "", shared)
	for _, d := range services {
		own := slices.DeleteFunc(d.Variables(), func(v config.Variable) bool { return hasVariable(shared, v) })
		writeVariables(&b, d.Name, d.About, own)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return nil
}

func hasVariable(variables []config.Variable, v config.Variable) bool {
	return slices.ContainsFunc(variables, func(other config.Variable) bool {
		return other.Name == v.Name && other.Default == v.Default && other.Required == v.Required
	})
}

func writeVariables(b *strings.Builder, title, about string, variables []config.Variable) {
	fmt.Fprintf(b, "\n## %s\n\n", title)
	if about != "" {
		fmt.Fprintf(b, "%s\n\n", strings.ToUpper(about[:1])+about[1:])
	}
	b.WriteString("| variable | value | default | what it is |\n|---|---|---|---|\n")
	for _, v := range variables {
		name := "`" + v.Name + "`"
		if v.Secret {
			name += " (s)"
		}
		fallback := ""
		if v.Required {
			fallback = "required"
		}
		if v.Default != "" {
			fallback = "`" + v.Default + "`"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", name, cmp.Or(v.Type, "text"), fallback, strings.ReplaceAll(v.Doc, "|", `\|`))
	}
}
