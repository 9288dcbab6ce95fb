package local

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/service"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
	"github.com/atrium-mesh/atrium/services/auth"
	"github.com/atrium-mesh/atrium/services/gateway"
	"github.com/atrium-mesh/atrium/services/notifications"
	"github.com/atrium-mesh/atrium/services/users"
)

// startServices starts auth, whose keys the others verify tokens with, then users and notifications side by side, then the gateway.
func (m *Mesh) startServices(ctx context.Context, folder *Folder, b backends, cfg Config, listen listenAddress) error {
	e, err := newEnvironment(folder, b, cfg, listen)
	if err != nil {
		return err
	}
	dev, err := devHandler(b.mail, b.spans, cfg.AllowHosts)
	if err != nil {
		return err
	}
	options := []telemetry.Option{telemetry.WithSpanExporter(b.spans), telemetry.WithLogOutput(m.log)}
	run := func(ctx context.Context, d service.Definition, src config.Source) (string, error) {
		s, err := startService(ctx, d, src, options...)
		if err != nil {
			return "", err
		}
		m.adopt(s)
		return s.url, nil
	}
	setup := make(chan string, 1)
	m.setup = setup
	authURL, err := run(ctx, auth.Service(auth.WithSetupLink(func(link string) { setup <- link })), e.auth(cfg.AdminEmail, cfg.AdminPassword))
	if err != nil {
		return err
	}
	var usersURL, notificationsURL string
	group, starting := errgroup.WithContext(ctx)
	group.Go(func() (err error) { usersURL, err = run(starting, users.Service(), e.users(authURL)); return err })
	group.Go(func() (err error) {
		notificationsURL, err = run(starting, notifications.Service(), e.notifications(authURL))
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	door := gateway.Service(
		gateway.WithHandler("/dev/", dev),
		gateway.WithOwn(func(own http.Handler) http.Handler { return guarded(own, cfg.AllowHosts) }),
	)
	_, err = run(ctx, door, e.gateway(listen.Addr(), authURL, usersURL, notificationsURL))
	return err
}

func newEnvironment(folder *Folder, b backends, cfg Config, listen listenAddress) (environment, error) {
	secret, err := folder.Secret("secret_key")
	if err != nil {
		return environment{}, err
	}
	services := map[string]string{}
	for _, name := range []string{"users", "notifications", "gateway"} {
		if services[name], err = folder.Secret("service_secret_" + name); err != nil {
			return environment{}, err
		}
	}
	return environment{
		services: services,
		process:  cfg.Environment, origin: listen.Origin, nats: b.nats, secret: secret, databases: b.databases,
		smtpPort: b.smtp.Port(), level: cfg.LogLevel.String(),
	}, nil
}

// adopt takes over a service that has started: it is stopped with the mesh, and reported when it ends before.
func (m *Mesh) adopt(s *runningService) {
	m.mu.Lock()
	m.services = append(m.services, s)
	m.mu.Unlock()
	stopping := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() {
		select {
		case <-stopping:
		case <-s.done:
			select {
			case m.failed <- s.ended():
			default: // one failure is enough
			}
		}
	})
	m.onStop(s.name, func(context.Context) error {
		close(stopping)
		watcher.Wait()
		return s.stop()
	})
}

// waitReady waits for every service, and for auth to tell the way to the first administrator.
func (m *Mesh) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	group, waiting := errgroup.WithContext(ctx)
	for _, s := range m.services {
		group.Go(func() error { return s.waitReady(waiting) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	select {
	case m.SetupURL = <-m.setup: // empty when there is one
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the setup link: %w", ctx.Err())
	}
}
