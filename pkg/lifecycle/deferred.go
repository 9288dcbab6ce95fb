package lifecycle

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// The wait between two attempts of Retry doubles from retryFirst to retryMost.
const (
	retryFirst = 200 * time.Millisecond
	retryMost  = 10 * time.Second
)

// Retry calls fn until it returns nil or ctx is done, with a growing wait between attempts and jitter. report, when
// not nil, gets the error of every attempt that fails.
func Retry(ctx context.Context, fn func(context.Context) error, report func(err error)) error {
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		err := fn(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if report != nil {
			report(err)
		}
		timer := time.NewTimer(wait/2 + rand.N(wait/2)) //nolint:gosec // jitter needs no cryptography
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// Deferred is a component that starts another in the background, once that can work. Its own Start returns at once.
type Deferred struct {
	component Component
	loop      *Loop
	started   atomic.Bool
}

// NewDeferred starts c once ready is closed, and again after a wait as long as its Start fails; report gets those
// errors. It is for components that need a database or a broker that may be away while the process starts.
func NewDeferred(ready <-chan struct{}, c Component, report func(err error)) *Deferred {
	d := &Deferred{component: c}
	d.loop = Go(func(ctx context.Context) error {
		select {
		case <-ready:
		case <-ctx.Done():
			return nil
		}
		if err := Retry(ctx, func(ctx context.Context) error { return startSafely(ctx, c) }, report); err != nil {
			return err
		}
		d.started.Store(true)
		return d.watch(ctx)
	})
	return d
}

func (d *Deferred) watch(ctx context.Context) error {
	failer, ok := d.component.(Failer)
	if !ok {
		return nil
	}
	select {
	case err := <-failer.Failed():
		return err
	case <-ctx.Done():
		return nil
	}
}

// Started says whether the component has started.
func (d *Deferred) Started() bool { return d.started.Load() }

// Start begins to wait.
func (d *Deferred) Start(ctx context.Context) error { return d.loop.Start(ctx) }

// Failed receives the failure of the component after it has started.
func (d *Deferred) Failed() <-chan error { return d.loop.Failed() }

// Stop gives up waiting, or stops the component when it has started.
func (d *Deferred) Stop(ctx context.Context) error {
	if err := d.loop.Stop(ctx); err != nil {
		return err
	}
	if !d.Started() {
		return nil
	}
	return d.component.Stop(ctx)
}
