// Package lifecycle starts the parts of a service in order, watches them, and stops them in reverse.
//
// A service is a Group of Components. Start returns once a part is ready to be used by the next; work that goes on
// belongs to the component, which owns its goroutines and waits for them in Stop. A component that can fail
// later says so by implementing Failer; its failure stops the whole group.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Component is a part of a service that starts and stops.
type Component interface {
	// Start returns once the component works. ctx bounds the start only; it carries values for what goes on after.
	Start(ctx context.Context) error
	// Stop ends the component and waits for its goroutines, at most until ctx is done. It is called once, and
	// only after a Start that succeeded.
	Stop(ctx context.Context) error
}

// Failer is a component that can fail after it has started. A value received from Failed stops the group.
type Failer interface{ Failed() <-chan error }

// abandonAfter is how much longer than its timeout a Stop may take before the group goes on without it.
const abandonAfter = time.Second

// Group is a set of components that live and die together. Add everything before Run.
type Group struct {
	logger  *slog.Logger
	first   []entry
	last    []entry
	started chan struct{}
}

type entry struct {
	name string
	Component
}

// NewGroup returns an empty group that reports to logger; nil is silent.
func NewGroup(logger *slog.Logger) *Group {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &Group{logger: logger, started: make(chan struct{})}
}

// Add appends a component. It starts after those added before it and stops before them.
func (g *Group) Add(name string, c Component) { g.first = append(g.first, entry{name, c}) }

// AddLast appends a component that starts after every one added with Add, whenever that is, and stops before
// them: servers, which need everything else. Several start in the order in which they are added.
func (g *Group) AddLast(name string, c Component) { g.last = append(g.last, entry{name, c}) }

// Lookup returns the component of that name, or nil.
func (g *Group) Lookup(name string) Component {
	for _, c := range slices.Concat(g.first, g.last) {
		if c.name == name {
			return c.Component
		}
	}
	return nil
}

// Started is closed once every component has started.
func (g *Group) Started() <-chan struct{} { return g.started }

// Run starts the components in order, waits until ctx is done or a component fails, and stops them in
// reverse. Each stop may take up to shutdownTimeout. It returns nil when ctx ended it and every stop succeeded.
// A group runs once.
func (g *Group) Run(ctx context.Context, shutdownTimeout time.Duration) error {
	started, err := g.start(ctx)
	if err == nil && ctx.Err() == nil {
		close(g.started)
		err = g.wait(ctx, started)
	}
	return errors.Join(err, g.stop(ctx, started, shutdownTimeout))
}

func (g *Group) start(ctx context.Context) ([]entry, error) {
	components := slices.Concat(g.first, g.last)
	for i, c := range components {
		if ctx.Err() != nil {
			return components[:i], nil //nolint:nilerr // asked to stop before everything ran: not a failure
		}
		begin := time.Now()
		if err := startSafely(ctx, c); err != nil {
			if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
				return components[:i], nil
			}
			return components[:i], fmt.Errorf("start %s: %w", c.name, err)
		}
		g.logger.DebugContext(ctx, "component started", "component", c.name, "took", time.Since(begin))
	}
	return components, nil
}

func startSafely(ctx context.Context, c Component) (err error) {
	defer recoverInto(&err)
	return c.Start(ctx)
}

// wait returns nil when ctx is done, and the error of the first component that fails before.
func (g *Group) wait(ctx context.Context, started []entry) error {
	watch, cancel := context.WithCancel(ctx)
	failures := make(chan error, len(started))
	var watchers sync.WaitGroup
	defer watchers.Wait()
	defer cancel()
	for _, c := range started {
		if failer, ok := c.Component.(Failer); ok {
			watchers.Go(func() {
				select {
				case <-watch.Done():
				case err, open := <-failer.Failed():
					if open && err != nil {
						failures <- fmt.Errorf("%s failed: %w", c.name, err)
					}
				}
			})
		}
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-failures:
		g.logFailure(ctx, err)
		return err
	}
}

func (g *Group) logFailure(ctx context.Context, err error) {
	attrs := []any{"error", err}
	if panicked, ok := errors.AsType[*PanicError](err); ok {
		attrs = append(attrs, "stack", string(panicked.Stack))
	}
	g.logger.ErrorContext(ctx, "a component failed; stopping", attrs...)
}

func (g *Group) stop(ctx context.Context, started []entry, timeout time.Duration) error {
	var errs []error
	for _, c := range slices.Backward(started) {
		begin := time.Now()
		if err := stopSafely(context.WithoutCancel(ctx), c, timeout); err != nil {
			g.logger.ErrorContext(ctx, "component did not stop cleanly", "component", c.name, "error", err)
			errs = append(errs, fmt.Errorf("stop %s: %w", c.name, err))
			continue
		}
		g.logger.DebugContext(ctx, "component stopped", "component", c.name, "took", time.Since(begin))
	}
	return errors.Join(errs...)
}

// stopSafely waits for a Stop as long as it may take and a little longer, so that one that ignores its context
// cannot keep the others running.
func stopSafely(ctx context.Context, c Component, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	result := make(chan error, 1)
	go func() {
		var err error
		defer func() { result <- err }()
		defer recoverInto(&err)
		err = c.Stop(ctx)
	}()
	abandon := time.NewTimer(timeout + abandonAfter)
	defer abandon.Stop()
	select {
	case err := <-result:
		return err
	case <-abandon.C:
		return errors.New("does not stop; left running")
	}
}
