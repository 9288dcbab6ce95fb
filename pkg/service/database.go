package service

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/lifecycle"
	"github.com/atrium-mesh/atrium/pkg/pg"
)

// addMigrations adds what brings the database up to date and, once it is, relays its outbox.
func (b *Base) addMigrations(o Options) {
	if b.Pool == nil {
		close(b.migrated)
		return
	}
	b.Group.Add("migrations", lifecycle.Go(func(ctx context.Context) error { return b.migrate(ctx, o.Migrations) }))
	b.Health.Add("migrations", func(context.Context) error {
		if !b.isMigrated() {
			return errors.New("the database is not up to date yet")
		}
		return nil
	})
	if o.Stream != "" {
		b.AddWithDatabase("relay", events.NewRelay(events.RelayConfig{
			Pool: b.Pool, JS: b.JS, Stream: o.Stream, Prefix: strings.ToLower(o.Stream), Replicas: b.config.NATS.Replicas,
			Tracer: b.Tel.Tracer, Meter: b.Tel.Meter, Logger: b.Tel.Logger,
		}))
	}
}

// migrate brings the database up to date, however long that takes.
func (b *Base) migrate(ctx context.Context, migrations fs.FS) error {
	err := lifecycle.Retry(ctx,
		func(ctx context.Context) error { return pg.Migrate(ctx, b.Pool, migrations) },
		func(err error) {
			b.Tel.Logger.WarnContext(ctx, "cannot bring the database up to date; trying again", "reason", pg.Trouble(err), "error", err)
		})
	if err != nil {
		return err
	}
	close(b.migrated)
	b.Tel.Logger.InfoContext(ctx, "database is up to date")
	return nil
}

func (b *Base) isMigrated() bool {
	select {
	case <-b.migrated:
		return true
	default:
		return false
	}
}
