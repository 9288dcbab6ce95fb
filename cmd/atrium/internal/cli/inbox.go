package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/local"
	"github.com/atrium-mesh/atrium/pkg/health"
)

type inboxFlags struct {
	smtp, http, data string
	allowHosts       []string
}

func newInbox(s Streams) *cobra.Command {
	var f inboxFlags
	c := &cobra.Command{
		Use: "inbox", Short: "Catch the mail of services that run elsewhere, and show it", Args: noArgs,
		Long: "Runs only the part of `atrium up` that catches mail: an SMTP server that accepts everything and delivers nothing, and the page and\n" +
			"the API at /dev/inbox. Point SMTP_URL of auth and of notifications to it (smtp://127.0.0.1:1025?tls=none). In a container, listen on\n" +
			"every address (--smtp :1025 --http :8025), keep the mail on a volume (--data), and probe /livez. A page of a foreign site must not read\n" +
			"mails: the page answers under an address, localhost and the names given with --allow-host only.",
		RunE: func(c *cobra.Command, _ []string) error { return inbox(c.Context(), s, f) },
	}
	flags := c.Flags()
	flags.StringVar(&f.smtp, "smtp", "127.0.0.1:1025", "host:port that takes mail")
	flags.StringVar(&f.http, "http", "127.0.0.1:8025", "host:port of /dev/inbox")
	flags.StringVar(&f.data, "data", "", "folder that keeps the mail; left out: nothing is kept")
	flags.StringSliceVar(&f.allowHosts, "allow-host", nil, allowHostUsage)
	return c
}

func inbox(ctx context.Context, s Streams, f inboxFlags) (err error) {
	if f.data == "" {
		if f.data, err = os.MkdirTemp("", "atrium-inbox-"); err != nil {
			return fmt.Errorf("make a folder for the mail: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(f.data)) }()
	}
	sink, err := local.OpenInbox(ctx, f.data, f.smtp, f.allowHosts, slog.New(slog.NewTextHandler(s.Err, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", f.http)
	if err != nil {
		return errors.Join(fmt.Errorf("listen for the page on %s: %w", f.http, err), sink.Close(ctx))
	}
	mux := http.NewServeMux()
	mux.Handle("GET /livez", health.LiveHandler())
	mux.Handle("/", sink.Handler)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Fprintf(s.Out, "Mail to smtp://%s is shown at http://%s/dev/inbox\n", sink.SMTP, listener.Addr())
	select {
	case <-ctx.Done():
	case err = <-served:
	}
	return errors.Join(err, sink.Close(context.WithoutCancel(ctx)), server.Close())
}
