package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/services/gateway/internal/pipeline"
)

// clean leaves out of a service's answer what is for the gateway to say, and what no client should see.
func clean(resp *http.Response) error {
	x, h := pipeline.ExchangeFrom(resp.Request.Context()), resp.Header
	for name := range h {
		if gatewaysOwn(name) {
			delete(h, name)
		}
	}
	if x.Route.Service != authService {
		h.Del("Set-Cookie")
	}
	if x.Principal != nil && h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "private, no-cache") // somebody's own: ask again each time, with the ETag
	}
	return nil
}

func gatewaysOwn(name string) bool {
	switch name {
	case "Server", "X-Powered-By", op.HeaderRequestID,
		"X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Strict-Transport-Security":
		return true
	}
	return strings.HasPrefix(name, "Access-Control-") || strings.HasPrefix(name, "Atrium-") || strings.HasPrefix(name, "X-Atrium-")
}

// errBroken is a request that reached the service, whose answer did not come back.
var errBroken = errors.New("the connection broke before the answer")

// refusal is what a client is told when his request did not get through.
func refusal(r *http.Request, err error) error {
	if _, ok := errors.AsType[*errs.Error](err); ok {
		return err
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return errs.New(errs.Timeout, "upstream_timeout", "The service did not answer in time.").WithCause(err)
	case r.Context().Err() != nil:
		return errs.From(context.Canceled)
	case errors.Is(err, errBroken) && !pipeline.ExchangeFrom(r.Context()).Route.ReadOnly:
		return errs.New(errs.Unavailable, "upstream_broken", "The connection to the service broke: this may or may not have been done.").
			WithRetryAfter(openFor).WithCause(err)
	default:
		return unavailable(err)
	}
}

func unavailable(cause error) error {
	return errs.New(errs.Unavailable, "upstream_unavailable", "A part of the service is away for a moment; try again.").
		WithRetryAfter(openFor).WithCause(fmt.Errorf("upstream: %w", cause))
}
