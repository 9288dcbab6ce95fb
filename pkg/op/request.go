package op

import (
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"sync"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/pkg/text"
)

// Header names between the gateway and the services, and in NATS messages. The gateway deletes them from what clients send.
const (
	HeaderRequestID   = "X-Request-Id"
	HeaderClientIP    = "X-Atrium-Client-Ip"
	headerAuth        = "Authorization"
	headerContentType = "Content-Type"
	headerAgent       = "User-Agent"
	headerBudget      = "Atrium-Budget-Ms" // how many milliseconds the caller will still wait
	headerError       = "Atrium-Error"     // errs.Encode of a refusal
)

type contextKey int

const lineKey contextKey = iota

const (
	maxAgent   = 512 // bytes that are kept of a User-Agent
	maxAddress = 64  // more bytes than an address has
)

// newRequest cleans what came from outside: an id that is not short and plain is replaced, an address must parse.
func newRequest(id, ip, agent, authorization string) request.Request {
	r := request.Request{ID: id, UserAgent: text.Bounded(agent, maxAgent)}
	if !plainID(id) {
		r.ID = newID()
	}
	if a, err := netip.ParseAddr(ip[:min(len(ip), maxAddress)]); err == nil {
		r.ClientIP = a.Unmap().WithZone("").String() // a zone is any text, and names an interface of some other machine
	}
	r.Token = request.Token(bearer(authorization))
	return r
}

// bearer is the token of an Authorization field (RFC 6750 section 2.1), or "".
func bearer(authorization string) string {
	scheme, token, ok := strings.Cut(authorization, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

func plainID(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// line collects what the one canonical log line of a request will say.
type line struct {
	mu    sync.Mutex
	attrs []slog.Attr
	who   *authz.Principal
}

// Annotate adds attributes to the request's canonical log line. It does nothing outside of a request. No personal data, no secrets.
func Annotate(ctx context.Context, attrs ...slog.Attr) {
	l, ok := ctx.Value(lineKey).(*line)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.attrs = append(l.attrs, attrs...)
}
