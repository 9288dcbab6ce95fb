package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
)

// PanicError is a panic that was caught in a component. Its text has no stack, since it may be shown; log Stack.
type PanicError struct {
	Value any
	Stack []byte
}

// Error names the value of the panic.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

func recoverInto(err *error) {
	if value := recover(); value != nil {
		*err = &PanicError{Value: value, Stack: debug.Stack()}
	}
}

// Loop is a function that runs in the background as a Component.
type Loop struct {
	run    func(context.Context) error
	cancel context.CancelFunc
	done   chan struct{}
	failed chan error
}

// Go makes a component of run. Its context ends when the component is stopped, and keeps the values of the
// start's. An error or a panic before that is a failure of the component; returning nil means that the work is done.
func Go(run func(ctx context.Context) error) *Loop {
	return &Loop{run: run, done: make(chan struct{}), failed: make(chan error, 1)}
}

// Start starts the function in its own goroutine.
func (l *Loop) Start(ctx context.Context) error {
	ctx, l.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(l.done)
		if err := l.guarded(ctx); err != nil && !(ctx.Err() != nil && errors.Is(err, ctx.Err())) {
			l.failed <- err
		}
	}()
	return nil
}

func (l *Loop) guarded(ctx context.Context) (err error) {
	defer recoverInto(&err)
	return l.run(ctx)
}

// Failed receives the error or the panic that ended the function.
func (l *Loop) Failed() <-chan error { return l.failed }

// Stop ends the function's context and waits for it to return.
func (l *Loop) Stop(ctx context.Context) error {
	l.cancel()
	select {
	case <-l.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("still running: %w", ctx.Err())
	}
}

// Func makes a component of two functions; either may be nil.
func Func(start, stop func(context.Context) error) Component { return funcs{start, stop} }

type funcs struct{ start, stop func(context.Context) error }

func (f funcs) Start(ctx context.Context) error { return call(ctx, f.start) }
func (f funcs) Stop(ctx context.Context) error  { return call(ctx, f.stop) }

func call(ctx context.Context, fn func(context.Context) error) error {
	if fn == nil {
		return nil
	}
	return fn(ctx)
}
