package local

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/health"
	"github.com/atrium-mesh/atrium/pkg/lifecycle"
	"github.com/atrium-mesh/atrium/pkg/pglocal"
	"github.com/atrium-mesh/atrium/pkg/service"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
)

// probe is a service that is ready when it is told so, and fails when it is told to.
type probe struct {
	ready atomic.Bool
	fail  chan error
}

func (p *probe) Start(context.Context) error { return nil }
func (p *probe) Stop(context.Context) error  { return nil }
func (p *probe) Failed() <-chan error        { return p.fail }

func (p *probe) definition(startErr error) service.Definition {
	return service.Definition{
		Name: "probe",
		Build: func(_ context.Context, _ config.Source, tel *telemetry.Telemetry) (*lifecycle.Group, error) {
			checks := health.New(health.Options{})
			checks.Add("told", func(context.Context) error {
				if !p.ready.Load() {
					return errors.New("not told")
				}
				return nil
			})
			group := lifecycle.NewGroup(tel.Logger)
			group.Add(service.AdminServer, health.NewAdmin("127.0.0.1:0", checks, nil))
			group.Add(service.HTTPServer, lifecycle.NewHTTPServer(&http.Server{Addr: "127.0.0.1:0"}))
			group.Add("probe", p)
			if startErr != nil {
				group.Add("broken", lifecycle.Func(func(context.Context) error { return startErr }, nil))
			}
			return group, nil
		},
	}
}

func quiet() telemetry.Option { return telemetry.WithLogOutput(io.Discard) }

func TestAServiceBecomesReadyAndStops(t *testing.T) {
	t.Parallel()
	p := &probe{fail: make(chan error, 1)}
	s, err := startService(t.Context(), p.definition(nil), config.Source{}, quiet())
	require.NoError(t, err)
	require.Contains(t, s.url, "http://127.0.0.1:")

	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = s.waitReady(soon)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "probe is not ready")

	p.ready.Store(true)
	require.NoError(t, s.waitReady(t.Context()))
	require.NoError(t, s.stop())
	require.NoError(t, s.stop(), "it can be stopped again")
}

func TestAServiceThatCannotStartSaysWhy(t *testing.T) {
	t.Parallel()
	p := &probe{fail: make(chan error, 1)}
	_, err := startService(t.Context(), p.definition(errors.New("the cellar is flooded")), config.Source{}, quiet())
	require.ErrorContains(t, err, "the cellar is flooded")
	_, err = startService(t.Context(), p.definition(nil), config.Source{"LOG_FORMAT": "xml"}, quiet())
	require.ErrorContains(t, err, "LOG_FORMAT")
}

func TestTheMeshTellsOfAServiceThatEnds(t *testing.T) {
	t.Parallel()
	p := &probe{fail: make(chan error, 1)}
	s, err := startService(t.Context(), p.definition(nil), config.Source{}, quiet())
	require.NoError(t, err)
	m := &Mesh{failed: make(chan error, 1)}
	m.adopt(s)
	p.fail <- errors.New("out of paper")
	require.ErrorContains(t, <-m.Failed(), "out of paper")
	require.ErrorContains(t, m.Stop(t.Context()), "out of paper")
}

func TestPostgreSQLIsStartedAgainAtTheSameAddress(t *testing.T) {
	t.Parallel()
	folder, err := OpenFolder(filepath.Join(t.TempDir(), "data"))
	require.NoError(t, err)
	d := &database{folder: folder, options: pglocal.Options{Volatile: true}, logger: slog.New(slog.DiscardHandler)}
	urls, err := d.start(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, d.stop(context.Background())) //nolint:usetesting // t.Context is done in a cleanup
		require.NoError(t, folder.Close())
	})
	before := d.current().PID()
	require.NoError(t, d.current().Kill())
	require.Eventually(t, func() bool { return d.current().PID() != before }, 30*time.Second, 20*time.Millisecond)
	conn, err := pgx.Connect(t.Context(), urls["auth"])
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
}
