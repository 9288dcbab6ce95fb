package local

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/inbox"
	"github.com/atrium-mesh/atrium/cmd/atrium/internal/traces"
)

// Sink is the mail part of a mesh on its own: an SMTP server that delivers nothing, and the pages at /dev.
type Sink struct {
	Handler http.Handler // of /dev/inbox
	SMTP    string       // address that takes mail

	store  *inbox.Store
	server *inbox.Server
}

// OpenInbox starts to take mail on smtp and keeps it in dir. Serve its handler, which answers under these hosts, and close it.
func OpenInbox(ctx context.Context, dir, smtp string, hosts Hosts, logger *slog.Logger) (*Sink, error) {
	store, err := inbox.Open(dir, time.Now)
	if err != nil {
		return nil, err
	}
	s := &Sink{store: store}
	if s.Handler, err = devHandler(store, traces.NewStore(), hosts); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	if s.server, err = inbox.Listen(ctx, smtp, store, logger); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	s.SMTP = s.server.Addr()
	return s, s.server.Start(context.WithoutCancel(ctx))
}

// Close ends the SMTP server, and every request that waits for a mail.
func (s *Sink) Close(ctx context.Context) error {
	return errors.Join(s.server.Stop(ctx), s.store.Close())
}
