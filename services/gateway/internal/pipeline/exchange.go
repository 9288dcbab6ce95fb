package pipeline

import (
	"context"
	"net/http"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/gateway/internal/routes"
)

// Exchange is what the steps learn of a request, each from those before it.
type Exchange struct {
	RequestID string
	ClientIP  string
	Route     *routes.Route
	Params    map[string]string
	Token     string
	Principal *authz.Principal

	err    error // what the gateway refused it with
	status int
	bytes  int64
}

type exchangeKey struct{}

// ExchangeFrom is what is known of the request so far. It panics outside of the pipeline.
func ExchangeFrom(ctx context.Context) *Exchange {
	return ctx.Value(exchangeKey{}).(*Exchange)
}

// WithExchange makes ctx belong to this exchange.
func WithExchange(ctx context.Context, x *Exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, x)
}

// Refuse answers with a problem and remembers why, for the one log line.
func Refuse(w http.ResponseWriter, r *http.Request, err error) {
	x := ExchangeFrom(r.Context())
	x.err = err
	errs.WriteProblem(w, err, x.RequestID)
}

// recorder notes the status and size of an answer. It unwraps for http.ResponseController, so that streams can flush and hijack.
type recorder struct {
	http.ResponseWriter
	x *Exchange
}

func (w *recorder) WriteHeader(status int) {
	if w.x.status == 0 && status >= http.StatusOK || status == http.StatusSwitchingProtocols {
		w.x.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.x.status == 0 {
		w.x.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.x.bytes += int64(n)
	return n, err
}

func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
