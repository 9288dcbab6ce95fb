package pipeline

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/atrium-mesh/atrium/pkg/errs"
)

// route finds the operation. What no service declares is left to the gateway's own documents.
func (p *Pipeline) route(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := ExchangeFrom(r.Context())
		route, params, allowed, err := p.Routes.Find(r)
		switch {
		case err == nil:
			x.Route, x.Params = route, params
			trace.SpanFromContext(r.Context()).SetName(r.Method + " " + route.Path)
			next.ServeHTTP(w, r)
		case len(allowed) > 0:
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			Refuse(w, r, err)
		case p.Own != nil:
			p.Own.ServeHTTP(w, r)
		default:
			Refuse(w, r, err)
		}
	})
}

// bodyTimeout is how long a client may take to send a body.
const bodyTimeout = 15 * time.Second

// bodyLimit reads the body, up to the operation's limit, before anything else is done for it: a slow or oversized one costs no
// service anything, and an idempotent request can be sent again.
func (p *Pipeline) bodyLimit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := ExchangeFrom(r.Context())
		if x.Route.Stream || r.Body == nil || r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		limit := p.MaxBody
		if x.Route.MaxBody > 0 {
			limit = x.Route.MaxBody
		}
		body, err := readBody(w, r, limit)
		if err != nil {
			w.Header().Set("Connection", "close")
			Refuse(w, r, err)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		r.ContentLength = int64(len(body))
		r.TransferEncoding = nil
		next.ServeHTTP(w, r)
	})
}

func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, tooLarge()
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout)) // not offered by every writer: only a precaution
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, tooLarge()
	}
	if err != nil {
		return nil, errs.New(errs.Malformed, "body_incomplete", "The body did not arrive whole or in time.").WithCause(err)
	}
	return body, nil
}

func tooLarge() error {
	return errs.New(errs.TooLarge, "body_too_large", "The body is larger than this operation takes.")
}
