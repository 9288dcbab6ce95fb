// Package health says whether a process lives and whether it is ready for traffic, and serves that with its
// metrics on a port of its own.
package health

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"
)

// Status is the outcome of a check or of all of them.
type Status string

// The two outcomes.
const (
	OK   Status = "ok"
	Fail Status = "fail"
)

// Defaults of Options.
const (
	DefaultTimeout  = 2 * time.Second
	DefaultCacheFor = time.Second
	// failureCacheFor is how long a report that fails is reused at most: a process that becomes ready should be found so.
	failureCacheFor = 100 * time.Millisecond
)

// Report is the outcome of all checks, in the form in which it is served.
type Report struct {
	Status Status            `json:"status"`
	Checks map[string]Result `json:"checks"`
}

// Result is the outcome of one check. Error is a fixed word, never the text of a driver; that goes to the log.
type Result struct {
	Status Status `json:"status"`
	Error  string `json:"error,omitempty"`
}

// Options tune Checks; the zero value is good.
type Options struct {
	Timeout  time.Duration    // of one check; DefaultTimeout when zero
	CacheFor time.Duration    // how long a good report is reused; DefaultCacheFor when zero
	Now      func() time.Time // the clock; time.Now when nil
	Logger   *slog.Logger     // told when a check changes; silent when nil

	Meter metric.MeterProvider // tells the outcome of each check; nil: nobody
}

// Checks decides whether the process is ready. Checks run concurrently, each with its own timeout, and their
// report is reused for a moment, so that probes cost little. It is safe for concurrent use.
type Checks struct {
	options Options

	mu       sync.Mutex // guards what follows; never held while checks run
	checks   map[string]func(context.Context) error
	draining bool

	run    sync.Mutex // held by the one caller that runs the checks
	report Report
	at     time.Time
}

// New returns an empty set, which is ready.
func New(options Options) *Checks {
	if options.Timeout == 0 {
		options.Timeout = DefaultTimeout
	}
	if options.CacheFor == 0 {
		options.CacheFor = DefaultCacheFor
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Checks{options: options, checks: make(map[string]func(context.Context) error)}
	c.observe(options.Meter)
	return c
}

// Add registers a check under a name; nil from fn means that it is well. A name can be added once.
func (c *Checks) Add(name string, fn func(ctx context.Context) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, exists := c.checks[name]; exists {
		panic(fmt.Sprintf("health: check %q added twice", name))
	}
	c.checks[name] = fn
}

// Drain makes the process not ready for good. It is called when a shutdown begins.
func (c *Checks) Drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.draining = true
}

// Ready runs the checks, or answers with the report of a moment ago.
func (c *Checks) Ready(ctx context.Context) Report {
	c.run.Lock()
	defer c.run.Unlock()
	checks, draining := c.snapshot()
	if draining {
		return Report{Status: Fail, Checks: map[string]Result{"shutdown": {Status: Fail, Error: "shutting down"}}}
	}
	if now := c.options.Now(); !c.fresh(now) || len(c.report.Checks) != len(checks) {
		c.report, c.at = c.runAll(ctx, checks, c.report), now
	}
	return c.report
}

// fresh says whether the last report can be used again.
func (c *Checks) fresh(now time.Time) bool {
	age := now.Sub(c.at)
	if c.report.Status == Fail {
		return age < min(failureCacheFor, c.options.CacheFor)
	}
	return c.report.Checks != nil && age < c.options.CacheFor
}

func (c *Checks) snapshot() (map[string]func(context.Context) error, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.checks), c.draining
}

// runAll gives every check its own timeout and does not pass on the cancellation of a probe: its outcome is shared.
func (c *Checks) runAll(ctx context.Context, checks map[string]func(context.Context) error, previous Report) Report {
	type outcome struct {
		name string
		err  error
	}
	outcomes := make(chan outcome, len(checks))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.options.Timeout)
	defer cancel()
	for name, fn := range checks {
		go func() { outcomes <- outcome{name, runOne(ctx, fn)} }()
	}
	report := Report{Status: OK, Checks: make(map[string]Result, len(checks))}
	for range checks {
		o := <-outcomes
		result := resultOf(o.err)
		if result.Status == Fail {
			report.Status = Fail
		}
		c.logChange(ctx, o.name, previous.Checks[o.name], result, o.err)
		report.Checks[o.name] = result
	}
	return report
}

func runOne(ctx context.Context, fn func(context.Context) error) (err error) {
	result := make(chan error, 1)
	go func() {
		defer func() {
			if value := recover(); value != nil {
				result <- fmt.Errorf("panic: %v", value)
			}
		}()
		result <- fn(ctx)
	}()
	select {
	case err = <-result:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func resultOf(err error) Result {
	switch {
	case err == nil:
		return Result{Status: OK}
	case errors.Is(err, context.DeadlineExceeded):
		return Result{Status: Fail, Error: "timeout"}
	default:
		return Result{Status: Fail, Error: "unavailable"}
	}
}

func (c *Checks) logChange(ctx context.Context, name string, before, after Result, err error) {
	switch {
	case after.Status == Fail && before.Status != Fail:
		c.options.Logger.WarnContext(ctx, "readiness check fails", "check", name, "error", err)
	case after.Status == OK && before.Status == Fail:
		c.options.Logger.InfoContext(ctx, "readiness check recovered", "check", name)
	}
}
