package cli

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/atrium-mesh/atrium/pkg/events"
)

func newDeadLetters(s Streams) *cobra.Command {
	c := &cobra.Command{Use: "dead-letters", Short: "List events that could not be handled, and have them handled again"}
	c.AddCommand(newDeadLettersList(s), newDeadLettersReplay(s))
	return c
}

func newDeadLettersList(s Streams) *cobra.Command {
	var t target
	var filter events.DeadLetterFilter
	var asJSON bool
	c := &cobra.Command{
		Use: "list --service NAME", Short: "List the events that a service could not handle", Args: noArgs,
		Long:    "Lists the events that a service's consumer gave up on, oldest first.\n\n" + databaseHelp,
		Example: "  atrium dead-letters list --service notifications",
		RunE: func(c *cobra.Command, _ []string) error {
			return t.with(c.Context(), func(conn *pgx.Conn) error {
				letters, err := events.ListDeadLetters(c.Context(), conn, filter)
				if err != nil {
					return err
				}
				if asJSON {
					return writeJSON(s.Out, map[string]any{"items": append([]events.DeadLetter{}, letters...)})
				}
				return writeDeadLetters(s.Out, letters)
			})
		},
	}
	t.flags(c, s)
	c.Flags().StringVar(&filter.Type, "type", "", "only events of this type, such as users.user.deactivated.v1")
	c.Flags().BoolVar(&filter.Resolved, "resolved", false, "also those that were handled since")
	c.Flags().IntVar(&filter.Limit, "limit", 100, "how many at most")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func writeDeadLetters(w io.Writer, letters []events.DeadLetter) error {
	if len(letters) == 0 {
		_, err := fmt.Fprintln(w, "There are no dead letters.")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tSINCE\tTYPE\tSUBJECT\tATTEMPTS\tSTATE\tWHY")
	for _, l := range letters {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\t%s %s\n", l.ID, l.CreatedAt.UTC().Format(time.RFC3339), l.Type, l.Subject, l.Attempts, stateOf(l), l.Kind, l.Code)
	}
	return table.Flush()
}

func stateOf(l events.DeadLetter) string {
	switch {
	case l.ResolvedAt != nil:
		return "resolved"
	case l.ReplayRequestedAt != nil:
		return "replaying"
	default:
		return "waiting"
	}
}

func newDeadLettersReplay(s Streams) *cobra.Command {
	var t target
	var all bool
	c := &cobra.Command{
		Use: "replay --service NAME (ID... | --all)", Short: "Have dead letters handled again", Args: cobra.ArbitraryArgs,
		Long:    "Asks the service's consumer to handle dead letters again, which it does within a second when it runs.\n\n" + databaseHelp,
		Example: "  atrium dead-letters replay --service notifications --all",
		RunE: func(c *cobra.Command, args []string) error {
			ids, err := parseIDs(args, all)
			if err != nil {
				return err
			}
			return t.with(c.Context(), func(conn *pgx.Conn) error {
				n, err := events.ReplayDeadLetters(c.Context(), conn, ids...)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(s.Out, "%s will be handled again.\n", count(n, "dead letter"))
				return err
			})
		},
	}
	t.flags(c, s)
	c.Flags().BoolVar(&all, "all", false, "all that are not resolved")
	return c
}

func parseIDs(args []string, all bool) ([]uuid.UUID, error) {
	if all == (len(args) > 0) {
		return nil, usagef("name the dead letters to replay, or say --all")
	}
	var ids []uuid.UUID
	for _, arg := range args {
		id, err := uuid.Parse(arg)
		if err != nil {
			return nil, usagef("%q is not the id of a dead letter", arg)
		}
		ids = append(ids, id)
	}
	return ids, nil
}
