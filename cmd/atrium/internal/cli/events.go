package cli

import (
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/text"
)

func newEvents(s Streams) *cobra.Command {
	c := &cobra.Command{Use: "events", Short: "Send events again"}
	c.AddCommand(newEventsReplay(s))
	return c
}

func newEventsReplay(s Streams) *cobra.Command {
	var t target
	var since string
	c := &cobra.Command{
		Use: "replay --service NAME --since WHEN", Short: "Send a service's events again", Args: noArgs,
		Long: "Makes the service's relay send again what it has published since then, for a JetStream that has lost data. Consumers that have\n" +
			"handled an event skip it, so that it is safe at any time. Events are kept for 7 days.\n\n" + databaseHelp,
		Example: "  atrium events replay --service users --since 1h\n  atrium events replay --service auth --since 2026-01-02T15:04:05Z",
		RunE: func(c *cobra.Command, _ []string) error {
			from, err := parseSince(since, time.Now())
			if err != nil {
				return err
			}
			return t.with(c.Context(), func(conn *pgx.Conn) error {
				n, err := events.Replay(c.Context(), conn, from)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(s.Out, "%s since %s will be sent again.\n", count(n, "event"), from.UTC().Format(time.RFC3339))
				return err
			})
		},
	}
	t.flags(c, s)
	c.Flags().StringVar(&since, "since", "", "how far back: a duration such as 90m or 48h, or a time such as 2026-01-02T15:04:05Z (required)")
	return c
}

// parseSince reads a duration before now, or a time.
func parseSince(raw string, now time.Time) (time.Time, error) {
	if raw == "" {
		return time.Time{}, usagef("--since is required: how far back, such as 1h")
	}
	if d, err := time.ParseDuration(raw); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	at, err := text.Time(raw)
	if err != nil {
		return time.Time{}, usagef("--since %s: must be a duration such as 1h, or a time such as 2026-01-02T15:04:05Z", raw)
	}
	return at, nil
}

func count(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
