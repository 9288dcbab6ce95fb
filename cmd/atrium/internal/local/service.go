package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/health"
	"github.com/atrium-mesh/atrium/pkg/lifecycle"
	"github.com/atrium-mesh/atrium/pkg/service"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
)

// runningService is one service of the mesh in this process.
type runningService struct {
	name   string
	url    string // of its HTTP server
	admin  string // of /readyz
	cancel context.CancelFunc
	done   chan struct{}
	err    error // once done is closed
}

// startService runs a service and returns once every part of it has started, which does not mean that it is ready.
func startService(ctx context.Context, d service.Definition, src config.Source, options ...telemetry.Option) (*runningService, error) {
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &runningService{name: d.Name, cancel: cancel, done: make(chan struct{})}
	built := make(chan *lifecycle.Group, 1)
	build := d.Build
	d.Build = func(ctx context.Context, src config.Source, tel *telemetry.Telemetry) (*lifecycle.Group, error) {
		group, err := build(ctx, src, tel)
		if err == nil {
			built <- group
		}
		return group, err
	}
	go func() {
		defer close(s.done)
		s.err = service.Run(run, d, src, options...)
	}()
	group, err := s.await(ctx, built)
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	s.url, s.admin = addressOf(group, service.HTTPServer), addressOf(group, service.AdminServer)
	return s, nil
}

func (s *runningService) await(ctx context.Context, built <-chan *lifecycle.Group) (*lifecycle.Group, error) {
	var group *lifecycle.Group
	var started <-chan struct{}
	for {
		select {
		case group = <-built:
			started, built = group.Started(), nil
		case <-started:
			return group, nil
		case <-s.done:
			return nil, s.ended()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func addressOf(g *lifecycle.Group, name string) string {
	if server, ok := g.Lookup(name).(interface{ URL() string }); ok {
		return server.URL()
	}
	return ""
}

// ended is why a service ended that was not told to.
func (s *runningService) ended() error {
	if s.err != nil {
		return s.err
	}
	return fmt.Errorf("%s ended by itself", s.name)
}

// stop stops the service and waits for it. It can be called again.
func (s *runningService) stop() error {
	s.cancel()
	<-s.done
	return s.err
}

// pollEvery is how often a service that is starting is asked whether it is ready.
const pollEvery = 10 * time.Millisecond

// waitReady returns once the service says that it is ready. Its error names what is not.
func (s *runningService) waitReady(ctx context.Context) error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		problem := s.probe(ctx, client)
		if problem == "" {
			return nil
		}
		select {
		case <-s.done:
			return s.ended()
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready (%s): %w", s.name, problem, ctx.Err())
		case <-ticker.C:
		}
	}
}

// probe is why the service is not ready, "" when it is.
func (s *runningService) probe(ctx context.Context, client *http.Client) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.admin+"/readyz", nil)
	if err != nil {
		return err.Error()
	}
	response, err := client.Do(request)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode == http.StatusOK {
		return ""
	}
	var report health.Report
	if err := json.NewDecoder(response.Body).Decode(&report); err != nil {
		return response.Status
	}
	var failing []string
	for name, check := range report.Checks {
		if check.Status != health.OK {
			failing = append(failing, name)
		}
	}
	slices.Sort(failing)
	return strings.Join(failing, ", ")
}
