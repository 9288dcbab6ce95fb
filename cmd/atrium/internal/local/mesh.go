package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/atrium-mesh/atrium/pkg/config"
)

// readyWithin bounds a start once PostgreSQL and NATS run: migrations on a slow disk included.
const readyWithin = 2 * time.Minute

// Config says what to start.
type Config struct {
	Listen        string     // host:port of the gateway; port 0 picks a free one
	Data          string     // the data folder
	Ephemeral     bool       // keep nothing: Data is not used
	AdminEmail    string     // an administrator to make at the start; empty: none
	AdminPassword string     // empty: generated the first time, and kept with the secrets
	LogLevel      slog.Level // least level in the log file; at debug everything is shown on the terminal as well
	PostgresPort  int        // also let PostgreSQL listen on this loopback port; 0: only on a private socket
	AllowHosts    Hosts      // further names under which /dev and the gateway's own pages are served
	Environment   config.Source
	Terminal      io.Writer // for warnings, and for progress when something takes long
}

// Mesh is a running mesh.
type Mesh struct {
	Origin   string        // where the gateway is: http://localhost:8080
	SetupURL string        // makes the first administrator, once; empty when there is one
	Folder   *Folder       // where everything is kept
	LogPath  string        // of the log file
	Took     time.Duration // from start to ready
	Loopback bool          // only this machine reaches it
	Postgres string        // address of the port that was asked for; empty: none

	AdminPassword string // that was generated; empty: none was

	log      *logFile
	logger   *slog.Logger
	services []*runningService
	setup    <-chan string // the setup link, once auth has started; empty when there is an administrator
	failed   chan error

	mu    sync.Mutex
	stops []stop // undone in reverse
}

type stop struct {
	name string
	fn   func(context.Context) error
}

// Start starts everything and returns once all of it is ready. On an error nothing is left running.
func Start(ctx context.Context, cfg Config) (*Mesh, error) {
	begin := time.Now()
	m := &Mesh{failed: make(chan error, 1)}
	if err := m.start(ctx, cfg); err != nil {
		if m.log != nil && ctx.Err() == nil {
			m.log.tellHeld()
		}
		return nil, errors.Join(err, m.Stop(context.WithoutCancel(ctx)))
	}
	m.log.hold(false)
	m.Took = time.Since(begin)
	return m, nil
}

// Failed receives the error of a service that ended by itself; the mesh is then of no more use.
func (m *Mesh) Failed() <-chan error { return m.failed }

// Stop stops everything, the gateway first and PostgreSQL last, and removes what an ephemeral mesh has kept.
func (m *Mesh) Stop(ctx context.Context) error {
	if m.log != nil {
		m.log.hold(true)
	}
	m.mu.Lock()
	stops := m.stops
	m.stops = nil
	m.mu.Unlock()
	var errs []error
	for _, stop := range slices.Backward(stops) {
		if err := stop.fn(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", stop.name, err))
		}
	}
	return errors.Join(errs...)
}

func (m *Mesh) onStop(name string, fn func(context.Context) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stops = append(m.stops, stop{name, fn})
}

func (m *Mesh) start(ctx context.Context, cfg Config) error {
	listen, err := parseListen(ctx, cfg.Listen)
	if err != nil {
		return err
	}
	m.Origin, m.Loopback = listen.Origin, listen.Loopback()
	folder, err := m.openFolder(cfg)
	if err != nil {
		return err
	}
	if err := m.openLog(folder, cfg); err != nil {
		return err
	}
	b, err := m.startBackends(ctx, folder, cfg)
	if err != nil {
		return err
	}
	if err := m.publish(folder, b, cfg.Listen); err != nil {
		return err
	}
	if cfg.AdminEmail != "" && cfg.AdminPassword == "" {
		if m.AdminPassword, err = folder.Password("admin_password"); err != nil {
			return err
		}
		cfg.AdminPassword = m.AdminPassword
	}
	if err := m.startServices(ctx, folder, b, cfg, listen); err != nil {
		return err
	}
	return m.waitReady(ctx)
}

func (m *Mesh) openFolder(cfg Config) (*Folder, error) {
	path := cfg.Data
	if cfg.Ephemeral {
		var err error
		if path, err = os.MkdirTemp("", "atrium-"); err != nil {
			return nil, fmt.Errorf("make an ephemeral data folder: %w", err)
		}
		m.onStop("ephemeral data", func(context.Context) error { return os.RemoveAll(path) })
	}
	folder, err := OpenFolder(path)
	if err != nil {
		return nil, err
	}
	m.Folder = folder
	m.onStop("data folder", func(context.Context) error { return folder.Close() })
	return folder, nil
}

func (m *Mesh) openLog(folder *Folder, cfg Config) error {
	dir, err := folder.Dir("logs")
	if err != nil {
		return err
	}
	shown := max(cfg.LogLevel, slog.LevelWarn)
	if cfg.LogLevel <= slog.LevelDebug {
		shown = slog.LevelDebug
	}
	if m.log, err = openLog(dir, cfg.Terminal, shown); err != nil {
		return err
	}
	m.LogPath = m.log.path
	m.logger = slog.New(slog.NewJSONHandler(m.log, &slog.HandlerOptions{Level: cfg.LogLevel})).With("service", "atrium")
	m.onStop("log", func(context.Context) error { return m.log.Close() })
	return nil
}

func (m *Mesh) publish(folder *Folder, b backends, listen string) error {
	err := folder.publish(Running{
		PID: os.Getpid(), Origin: m.Origin, Listen: listen, NATS: b.nats, Databases: b.databases, StartedAt: time.Now().UTC(),
	})
	m.onStop("description", func(context.Context) error { return folder.unpublish() })
	return err
}
