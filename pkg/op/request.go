package op

import (
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"sync"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/request"
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

// newRequest cleans what came from outside: an id that is not short and plain is replaced, an address must parse.
func newRequest(id, ip, agent, authorization string) request.Request {
	r := request.Request{ID: id, UserAgent: cleanText(agent, 512)}
	if !plainID(id) {
		r.ID = newID()
	}
	if a, err := netip.ParseAddr(ip); err == nil {
		r.ClientIP = a.Unmap().String()
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

func cleanText(s string, most int) string {
	if len(s) > most {
		s = s[:most]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
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
