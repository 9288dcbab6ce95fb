package upstream

import (
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/gateway/internal/pipeline"
)

const (
	tries      = 4                      // attempts at most to reach a service
	sentTries  = 2                      // attempts at most of what reached one: it may be what broke it, or be too much for it
	retryPause = 50 * time.Millisecond  // before the second attempt, give or take a half; doubled for each further one
	retryCap   = 200 * time.Millisecond // longest pause
)

// withRetries tries again what is safe to send twice: a read that failed, and anything that never reached the service.
func (t *transport) withRetries(r *http.Request, span trace.Span) (*http.Response, error) {
	route, pause := pipeline.ExchangeFrom(r.Context()).Route, retryPause
	readOnly := route.ReadOnly && !route.Stream
	for attempt := 1; ; attempt++ {
		resp, err := t.once(r)
		if !again(resp, err, readOnly, attempt) || !wait(r, pause/2+rand.N(pause)) { //nolint:gosec // jitter is no secret
			return resp, err
		}
		discard(resp)
		pause = min(2*pause, retryCap)
		span.AddEvent("retry", trace.WithAttributes(attribute.Int("attempt", attempt+1)))
		t.retries.Add(r.Context(), 1, metric.WithAttributes(attribute.String("service", route.Service)))
		if r.GetBody != nil {
			if r.Body, err = r.GetBody(); err != nil {
				return nil, err //nolint:wrapcheck // it is read from memory
			}
		}
	}
}

func again(resp *http.Response, err error, readOnly bool, attempt int) bool {
	_, refused := errors.AsType[*errs.Error](err) // by the breaker
	switch {
	case refused:
		return false
	case err != nil && neverSent(err):
		return attempt < tries
	case err == nil && notBelieved(resp):
		return attempt < sentTries
	case err != nil || busy(resp):
		return readOnly && attempt < sentTries
	default:
		return false
	}
}

// discard makes the connection of an answer that nobody wants usable again.
func discard(resp *http.Response) {
	if resp == nil {
		return
	}
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10) // when there is more, the connection is given up
	_ = resp.Body.Close()
}

// wait reports whether there is still somebody who waits for an answer.
func wait(r *http.Request, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}
