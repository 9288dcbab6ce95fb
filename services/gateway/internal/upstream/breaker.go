package upstream

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/sony/gobreaker/v2"
)

const (
	openFor   = 2 * time.Second // how long an open breaker refuses before it lets one request try
	openAfter = 10              // failures in a row that open it
)

type breaker = gobreaker.TwoStepCircuitBreaker[any]

// newBreaker makes the breaker of one operation: one that is broken, or that a stranger can break, does not take its neighbours with
// it, and each stops asking a service that is away.
func newBreaker(operation string, logger *slog.Logger) *breaker {
	return gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
		Name: operation, Timeout: openFor, MaxRequests: 1,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= openAfter },
		IsExcluded:  func(err error) bool { return errors.Is(err, context.Canceled) },
		OnStateChange: func(name string, from, to gobreaker.State) {
			logger.Warn("breaker", "operation", name, "from", from.String(), "to", to.String())
		},
	})
}

var errAnswer = errors.New("the service answered with a server error")

// failure is what the breaker counts of an attempt: no answer, or that of a service that is broken. A 503 with Retry-After is the
// answer of one that works, and protects itself: while sign-ins queue up, tokens can be refreshed. A client who left is not counted.
func failure(r *http.Request, resp *http.Response, err error) error {
	switch {
	case err != nil && errors.Is(r.Context().Err(), context.Canceled):
		return context.Canceled
	case err != nil:
		return err
	case busy(resp) && resp.Header.Get("Retry-After") != "":
		return nil
	case resp.StatusCode >= http.StatusInternalServerError:
		return errAnswer
	default:
		return nil
	}
}

// busy reports an answer that says: later. A service that starts or stops gives it.
func busy(resp *http.Response) bool { return resp.StatusCode == http.StatusServiceUnavailable }
