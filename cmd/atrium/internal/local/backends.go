package local

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/inbox"
	"github.com/atrium-mesh/atrium/cmd/atrium/internal/traces"
	"github.com/atrium-mesh/atrium/pkg/pglocal"
)

// backends is what the services build on.
type backends struct {
	databases map[string]string
	nats      string
	mail      *inbox.Store
	smtp      *inbox.Server
	spans     *traces.Store
}

// startBackends starts PostgreSQL, NATS and the SMTP sink side by side.
func (m *Mesh) startBackends(ctx context.Context, folder *Folder, cfg Config) (backends, error) {
	b := backends{spans: traces.NewStore()}
	// The context of the group ends with Wait; what is started here goes on.
	group, starting := errgroup.WithContext(ctx)
	group.Go(func() error { return m.startDatabase(starting, folder, cfg, &b) })
	group.Go(func() error { return m.startNATS(starting, folder, &b) })
	group.Go(func() error { return m.startInbox(starting, folder, &b) })
	return b, group.Wait()
}

func (m *Mesh) startDatabase(ctx context.Context, folder *Folder, cfg Config, b *backends) error {
	progress := slog.New(slog.NewTextHandler(cfg.Terminal, &slog.HandlerOptions{Level: slog.LevelInfo, ReplaceAttr: messageOnly}))
	binaries, err := pglocal.FindOrInstall(ctx, progress)
	if err != nil {
		return err
	}
	d := &database{folder: folder, logger: m.logger, options: pglocal.Options{
		Port: cfg.PostgresPort, Volatile: cfg.Ephemeral, Ephemeral: cfg.Ephemeral, Logger: m.logger,
	}}
	if cfg.Ephemeral { // an existing folder keeps to the version of its data
		d.options.Binaries = binaries
	}
	if b.databases, err = d.start(ctx); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	if cfg.PostgresPort != 0 {
		m.Postgres = fmt.Sprintf("127.0.0.1:%d", cfg.PostgresPort)
	}
	m.onStop("PostgreSQL", d.stop)
	return nil
}

// messageOnly leaves just the message and what belongs to it: a person at a terminal knows the time.
func messageOnly(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
		return slog.Attr{}
	}
	return a
}

func (m *Mesh) startNATS(ctx context.Context, folder *Folder, b *backends) error {
	dir, err := folder.Dir("nats")
	if err != nil {
		return err
	}
	password, err := folder.Secret("nats")
	if err != nil {
		return err
	}
	s, url, err := startNATS(ctx, dir, password, m.logger)
	if err != nil {
		return err
	}
	b.nats = url
	m.onStop("NATS", func(context.Context) error { stopNATS(s); return nil })
	return nil
}

func (m *Mesh) startInbox(ctx context.Context, folder *Folder, b *backends) error {
	dir, err := folder.Dir("inbox")
	if err != nil {
		return err
	}
	if b.mail, err = inbox.Open(dir, time.Now); err != nil {
		return err
	}
	m.onStop("inbox", func(context.Context) error { return b.mail.Close() })
	if b.smtp, err = inbox.Listen(ctx, "127.0.0.1:0", b.mail, m.logger); err != nil {
		return err
	}
	m.onStop("SMTP sink", b.smtp.Stop)
	return b.smtp.Start(context.WithoutCancel(ctx))
}
