package pipeline

import (
	"bufio"
	"cmp"
	"context"
	"net"
	"net/http"
	"net/netip"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/gateway/internal/routes"
)

// Exchange is what the steps learn of a request, each from those before it.
type Exchange struct {
	RequestID string
	Client    netip.Addr // the client's real address; not valid when it cannot be known
	Route     *routes.Route
	Params    map[string]string // of the path, as they were sent
	Token     string            // the verified access token, or ""
	Principal *authz.Principal  // whose it is, or nil
	Lost      string            // why the client's browser would keep no cookie: see auth.HeaderCookiesLost

	counted bool  // against a limit
	err     error // what the gateway refused it with
	status  int
	bytes   int64
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

// answered is the status for logs and metrics: what was sent, or 499 when there was nobody left to send it to.
func (x *Exchange) answered() int {
	if errs.KindOf(x.err) == errs.Canceled {
		return errs.StatusCanceled
	}
	return cmp.Or(x.status, http.StatusOK)
}

// recorder notes the status and size of an answer. It unwraps for http.ResponseController, so that streams can flush.
type recorder struct {
	http.ResponseWriter
	x *Exchange
}

func (w *recorder) WriteHeader(status int) {
	if w.x.status == 0 && status >= http.StatusOK {
		w.x.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	w.x.status = cmp.Or(w.x.status, http.StatusOK)
	n, err := w.ResponseWriter.Write(b)
	w.x.bytes += int64(n)
	return n, err //nolint:wrapcheck // the caller is whoever writes an answer
}

// Hijack is how a WebSocket takes the connection over.
func (w *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.x.status = http.StatusSwitchingProtocols
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
