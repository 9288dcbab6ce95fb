package local

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/atrium-mesh/atrium/pkg/pglocal"
)

// restartWait is the time between an unexpected end of PostgreSQL and the next start.
const restartWait = 500 * time.Millisecond

// database is the PostgreSQL child, started again when it ends by itself: the services find it at the same address.
type database struct {
	folder  *Folder
	options pglocal.Options
	logger  *slog.Logger

	mu      sync.Mutex
	server  *pglocal.Server
	cancel  context.CancelFunc
	watcher sync.WaitGroup
}

// start returns the DATABASE_URL of each service.
func (d *database) start(ctx context.Context) (map[string]string, error) {
	server, urls, err := startPostgres(ctx, d.folder, d.options)
	if err != nil {
		return nil, err
	}
	d.server = server
	watch, cancel := context.WithCancel(context.WithoutCancel(ctx))
	d.cancel = cancel
	d.watcher.Go(func() { d.watch(watch) })
	return urls, nil
}

func (d *database) watch(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.current().Done():
		}
		if ctx.Err() != nil {
			return
		}
		d.logger.WarnContext(ctx, "PostgreSQL ended; starting it again")
		for !d.restart(ctx) {
			select {
			case <-ctx.Done():
				return
			case <-time.After(restartWait):
			}
		}
	}
}

func (d *database) restart(ctx context.Context) bool {
	if err := d.current().Stop(ctx); err != nil { // gives its lock back
		d.logger.WarnContext(ctx, "what is left of PostgreSQL does not stop", "error", err)
	}
	server, _, err := startPostgres(ctx, d.folder, d.options)
	if err != nil {
		d.logger.ErrorContext(ctx, "PostgreSQL does not start; trying again", "error", err)
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.server = server
	return true
}

func (d *database) current() *pglocal.Server {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.server
}

func (d *database) stop(ctx context.Context) error {
	d.cancel()
	d.watcher.Wait()
	return d.current().Stop(ctx)
}
