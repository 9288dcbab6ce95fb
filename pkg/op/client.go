package op

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/go-kit/kit/endpoint"
	"github.com/nats-io/nats.go"
	"github.com/sony/gobreaker/v2"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
)

// breakers holds one circuit breaker for each service that is called, made when it is first called.
type breakers struct {
	mu sync.Mutex
	by map[string]*gobreaker.CircuitBreaker[any]
}

// breaker is middleware that stops calling a service that keeps failing: after 10 failures in a row it answers Unavailable at
// once for 2 seconds, then lets one call try. What says nothing of the service is not counted: see [saysNothing].
func (b *breakers) breaker(service string) endpoint.Middleware {
	return func(next endpoint.Endpoint) endpoint.Endpoint {
		return func(ctx context.Context, req any) (any, error) {
			out, err := b.of(service).Execute(func() (any, error) { return next(ctx, req) })
			if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
				return nil, errs.New(errs.Unavailable, "upstream_unavailable", "A part of the service is away for a moment; try again.").
					WithRetryAfter(openFor).WithCause(err)
			}
			return out, err
		}
	}
}

const openFor = 2 * time.Second

func (b *breakers) of(service string) *gobreaker.CircuitBreaker[any] {
	b.mu.Lock()
	defer b.mu.Unlock()
	if cb, ok := b.by[service]; ok {
		return cb
	}
	cb := gobreaker.NewCircuitBreaker[any](gobreaker.Settings{
		Name: service, Timeout: openFor, MaxRequests: 1,
		ReadyToTrip:  func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= 10 },
		IsSuccessful: func(err error) bool { return err == nil || !errs.KindOf(err).OpensBreaker() },
		IsExcluded:   saysNothing,
	})
	if b.by == nil {
		b.by = map[string]*gobreaker.CircuitBreaker[any]{}
	}
	b.by[service] = cb
	return cb
}

// saysNothing reports a failure that says nothing of whether the service works: it was not asked, since this process has no connection; it
// did not believe who asks, as after a key was withdrawn, and does with the next token; or it has as many requests as it takes, which
// many callers of one operation can bring about, and says so at once.
func saysNothing(err error) bool {
	if err == nil {
		return false
	}
	code := errs.From(err).Code
	return errors.Is(err, nats.ErrDisconnected) || code == authz.CodeServiceRefused || code == codeOverloaded
}

// codeOverloaded is the code of [errs.Unavailable] when a service runs as many NATS requests as it takes.
const codeOverloaded = "overloaded"

// withDeadline makes sure that a call ends: at the caller's deadline or the operation's timeout, whichever is sooner.
func withDeadline(timeout time.Duration) endpoint.Middleware {
	return func(next endpoint.Endpoint) endpoint.Endpoint {
		return func(ctx context.Context, req any) (any, error) {
			ctx, cancel := context.WithTimeout(ctx, timeout)
			defer cancel()
			return next(ctx, req)
		}
	}
}

// remaining is the caller's deadline as the budget field says it, in milliseconds.
func remaining(ctx context.Context) int64 {
	d, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	return max(1, time.Until(d).Milliseconds())
}
