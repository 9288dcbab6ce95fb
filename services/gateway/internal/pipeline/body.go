package pipeline

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/atrium-mesh/atrium/pkg/errs"
)

// bodyLimit refuses a body that is announced as too long, and bounds one that is not announced, and how long either may take. Nothing
// of it is read yet, so that one who waits for "100 Continue" does not send in vain.
func (p *Pipeline) bodyLimit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == nil || r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		limit := p.MaxBody
		if own := ExchangeFrom(r.Context()).Route.MaxBody; own > 0 {
			limit = own
		}
		if r.ContentLength > limit {
			refuseBody(w, r, tooLarge())
			return
		}
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(p.BodyTimeout)) // not offered by every writer: only a precaution
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		next.ServeHTTP(w, r)
	})
}

// readBody reads the whole body before a service hears of the request: one that is slow or too long costs no service anything, a
// service gets it with its length whatever the client's framing was, and it can be sent again.
func (p *Pipeline) readBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == nil || r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body) // at whose end net/http takes the deadline away
		if err != nil {
			refuseBody(w, r, bodyError(err))
			return
		}
		r.ContentLength, r.TransferEncoding, r.Trailer = int64(len(body)), nil, nil
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

// refuseBody also gives the connection up: where the next request begins on it cannot be known.
func refuseBody(w http.ResponseWriter, r *http.Request, err error) {
	w.Header().Set("Connection", "close")
	Refuse(w, r, err)
}

func bodyError(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge()
	}
	return errs.New(errs.Malformed, "body_incomplete", "The body did not arrive whole or in time.").WithCause(err)
}

func tooLarge() error {
	return errs.New(errs.TooLarge, "body_too_large", "The body is larger than this operation takes.")
}
