// Package servicetest runs a whole service inside a test: its real composition, on a database of its own, a NATS
// server of its own and ports that are free.
package servicetest

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/health"
	"github.com/atrium-mesh/atrium/pkg/lifecycle"
	"github.com/atrium-mesh/atrium/pkg/natstest"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
	"github.com/atrium-mesh/atrium/pkg/service"
	"github.com/atrium-mesh/atrium/pkg/telemetry/telemetrytest"
	"github.com/atrium-mesh/atrium/pkg/token/tokentest"
)

// SecretKey is the SECRET_KEY of every service in a test.
const SecretKey = "w7510GGWGyc6zbmjXgq7JgZgrYMyd8oX0ducmkGHJGQ="

// ServiceSecret is the SERVICE_SECRET of a service in a test, which auth has for it.
func ServiceSecret(service string) string {
	sum := sha256.Sum256([]byte("the secret of tests for " + service))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// AssertionKey is what the service signs with, to show auth who it is.
func AssertionKey(name string) []byte {
	var secret service.Secret
	if err := secret.UnmarshalText([]byte(ServiceSecret(name))); err != nil {
		panic(err)
	}
	return secret.AssertionKey()
}

const (
	startTimeout    = 30 * time.Second
	readyTimeout    = 30 * time.Second
	shutdownTimeout = 10 * time.Second
	probeTimeout    = 5 * time.Second
)

// Options say what a service is started with. What is not given is made for it.
type Options struct {
	Env         config.Source           // wins over what Start sets by itself
	Migrations  fs.FS                   // of the service; its database is copied from a template that has them
	DatabaseURL string                  // an existing database; several instances share it
	NATS        *natstest.Server        // several services share it
	Issuer      *tokentest.Issuer       // several services share it
	Recorder    *telemetrytest.Recorder // several services share it

	// Unready names readiness checks that Start does not wait for, such as "watermarks" where there is no auth. "*" is all.
	Unready []string
}

// Service is a service that runs. It is stopped when the test ends.
type Service struct {
	URL         string // http://127.0.0.1:port
	AdminURL    string
	DatabaseURL string
	NATS        *nats.Conn // a connection of the test's own
	Server      *natstest.Server
	Issuer      *tokentest.Issuer
	Recorder    *telemetrytest.Recorder

	stop func() error
}

// Start runs the service and returns once it is ready.
func Start(t testing.TB, d service.Definition, o Options) *Service {
	t.Helper()
	if o.NATS == nil {
		o.NATS = natstest.StartServer(t)
	}
	if o.Issuer == nil {
		o.Issuer = tokentest.NewIssuer(t)
	}
	if o.Recorder == nil {
		o.Recorder = telemetrytest.New(t)
	}
	if o.DatabaseURL == "" && uses(d, "DATABASE_URL") {
		o.DatabaseURL = pgtest.NewURL(t, o.Migrations)
	}
	src := o.environment(d.Name)
	require.NoError(t, d.Check(src))
	group, err := d.Build(t.Context(), src, o.Recorder.Telemetry(d.Name))
	require.NoError(t, err)
	s := &Service{
		DatabaseURL: o.DatabaseURL, NATS: o.NATS.Connect(t), Server: o.NATS,
		Issuer: o.Issuer, Recorder: o.Recorder, stop: run(t, group),
	}
	s.URL = group.Lookup(service.HTTPServer).(*lifecycle.HTTPServer).URL()
	s.AdminURL = group.Lookup(service.AdminServer).(*lifecycle.HTTPServer).URL()
	t.Cleanup(func() { _ = s.stop() })
	if !slices.Contains(o.Unready, "*") {
		s.WaitReady(t, o.Unready...)
	}
	return s
}

func uses(d service.Definition, variable string) bool {
	return slices.ContainsFunc(d.Variables(), func(v config.Variable) bool { return v.Name == variable })
}

func (o Options) environment(service string) config.Source {
	return config.Source{
		"SERVICE_SECRET": ServiceSecret(service), "SERVICE_SECRET_USERS": ServiceSecret("users"),
		"SERVICE_SECRET_NOTIFICATIONS": ServiceSecret("notifications"), "SERVICE_SECRET_GATEWAY": ServiceSecret("gateway"),
		"HTTP_ADDR": "127.0.0.1:0", "ADMIN_ADDR": "127.0.0.1:0", "DATABASE_URL": o.DatabaseURL, "NATS_URL": o.NATS.URL(),
		"ISSUER": o.Issuer.URL, "JWKS_URL": o.Issuer.JWKSURL, "AUDIENCE": tokentest.Audience, "SECRET_KEY": SecretKey,
	}.With(o.Env)
}

// run starts the group and returns what stops it, which can be called more than once.
func run(t testing.TB, group *lifecycle.Group) func() error {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	result := make(chan error, 1)
	go func() { result <- group.Run(ctx, shutdownTimeout) }()
	stop := sync.OnceValue(func() error { cancel(); return <-result })
	select {
	case <-group.Started():
	case err := <-result:
		cancel()
		require.FailNow(t, "the service does not start", "%v", err)
	case <-time.After(startTimeout):
		cancel()
		require.FailNow(t, "the service has not started in time")
	}
	return stop
}

// Stop ends the service as SIGTERM does and fails the test when it does not stop cleanly.
func (s *Service) Stop(t testing.TB) {
	t.Helper()
	require.NoError(t, s.stop())
}

// WaitReady waits until every readiness check but these is well.
func (s *Service) WaitReady(t testing.TB, except ...string) {
	t.Helper()
	s.wait(t, "ready", func(report health.Report) bool {
		for name, result := range report.Checks {
			if result.Status != health.OK && !slices.Contains(except, name) {
				return false
			}
		}
		return len(report.Checks) > 0
	})
}

// WaitUnready waits until this readiness check fails.
func (s *Service) WaitUnready(t testing.TB, check string) {
	t.Helper()
	s.wait(t, "unready", func(report health.Report) bool { return report.Checks[check].Status == health.Fail })
}

func (s *Service) wait(t testing.TB, state string, reached func(health.Report) bool) {
	t.Helper()
	var last string
	ok := func() bool {
		report, err := s.Ready(t.Context())
		last = fmt.Sprintf("%+v, %v", report, err)
		return err == nil && reached(report)
	}
	deadline := time.NewTimer(readyTimeout)
	defer deadline.Stop()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for !ok() {
		select {
		case <-poll.C:
		case <-deadline.C:
			require.FailNow(t, "the service is not "+state+" in time", last)
		}
	}
}

// Ready asks the admin port for the state of the service.
func (s *Service) Ready(ctx context.Context) (health.Report, error) {
	var report health.Report
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.AdminURL+"/readyz", http.NoBody)
	if err != nil {
		return report, err
	}
	client := http.Client{Timeout: probeTimeout, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		return report, err
	}
	defer res.Body.Close()
	return report, json.NewDecoder(res.Body).Decode(&report)
}
