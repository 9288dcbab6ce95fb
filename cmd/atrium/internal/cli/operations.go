package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/atrium-mesh/atrium/pkg/op"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	notifications "github.com/atrium-mesh/atrium/services/notifications/api"
	users "github.com/atrium-mesh/atrium/services/users/api"
)

// operation is what the contract says of one operation.
type operation struct {
	ID         string `json:"id"`
	Service    string `json:"service"`
	Method     string `json:"method,omitempty"`
	Path       string `json:"path,omitempty"`
	Subject    string `json:"subject,omitempty"`
	Policy     string `json:"policy"`
	Limit      string `json:"limit,omitempty"`
	Timeout    string `json:"timeout,omitempty"`
	Stream     bool   `json:"stream,omitempty"`
	Deprecated bool   `json:"deprecated,omitempty"`
	Summary    string `json:"summary,omitempty"`
}

func operations() []operation {
	var all []operation
	for service, declared := range map[string][]op.Declared{
		"auth": auth.Operations(), "users": users.Operations(), "notifications": notifications.Operations(),
	} {
		for _, d := range declared {
			all = append(all, operationOf(service, d.Meta()))
		}
	}
	slices.SortFunc(all, func(a, b operation) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(cmp.Or(a.Path, "~"), cmp.Or(b.Path, "~")),
			cmp.Compare(a.Method, b.Method), cmp.Compare(a.ID, b.ID))
	})
	return all
}

func operationOf(service string, m op.Meta) operation {
	o := operation{
		ID: m.ID, Service: service, Method: m.Method, Path: m.Path, Subject: m.Subject, Policy: m.Allow.String(),
		Timeout: m.Timeout.String(), Stream: m.Stream, Deprecated: m.Deprecated != nil, Summary: m.Summary,
	}
	if m.Path != "" {
		o.Limit = cmp.Or(string(m.Limit), "api")
	}
	if m.Stream {
		o.Timeout = ""
	}
	return o
}

func newOperations(s Streams) *cobra.Command {
	var asJSON bool
	var service string
	c := &cobra.Command{
		Use: "operations [text]", Short: "List every operation: route, subject, policy, limit, timeout", Args: cobra.MaximumNArgs(1),
		Long: "Lists the contract of every service as the code declares it. A text keeps the operations that have it in their id, path or subject.\n" +
			"Nothing needs to run.",
		Example: "  atrium operations\n  atrium operations sessions\n  atrium operations --service users --json",
		RunE: func(_ *cobra.Command, args []string) error {
			text := ""
			if len(args) > 0 {
				text = strings.ToLower(args[0])
			}
			found := slices.DeleteFunc(operations(), func(o operation) bool {
				return (service != "" && o.Service != service) || !strings.Contains(strings.ToLower(o.ID+"\n"+o.Path+"\n"+o.Subject), text)
			})
			if asJSON {
				return writeJSON(s.Out, map[string]any{"items": append([]operation{}, found...)})
			}
			return writeOperations(s.Out, found)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().StringVar(&service, "service", "", "only this service's: auth, users or notifications")
	return c
}

func writeOperations(w io.Writer, list []operation) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "METHOD\tPATH\tSUBJECT\tPOLICY\tLIMIT\tTIMEOUT\tOPERATION")
	for _, o := range list {
		timeout := cmp.Or(o.Timeout, "stream")
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", dash(o.Method), dash(o.Path), dash(o.Subject), o.Policy, dash(o.Limit), timeout, o.ID)
	}
	return table.Flush()
}

func dash(s string) string { return cmp.Or(s, "-") }

func writeJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}
