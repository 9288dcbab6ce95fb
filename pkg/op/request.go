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
	HeaderRequestID = "X-Request-Id"
	HeaderClientIP  = "X-Atrium-Client-Ip"
	// HeaderService holds the token by which a service says who makes the hop: see [Identity]. HeaderServiceRefused is in an answer that
	// did not believe it.
	HeaderService        = "Atrium-Service"
	HeaderServiceRefused = "Atrium-Service-Refused"

	headerAuth        = "Authorization"
	headerContentType = "Content-Type"
	headerAgent       = "User-Agent"
	headerBudget      = "Atrium-Budget-Ms" // how many milliseconds the caller will still wait
	headerError       = "Atrium-Error"     // errs.Encode of a refusal
)

type contextKey int

const (
	lineKey         contextKey = iota
	serviceTokenKey            // what a call says of the service that makes it
)

const (
	maxAgent   = 512 // bytes that are kept of a User-Agent
	maxAddress = 64  // more bytes than an address has
)

// claimed is what a message says of itself. Who made the hop is to be verified before the rest of it is believed.
type claimed struct {
	id, ip, agent, authorization string

	service string // the token of the service that makes the hop; "": none
	peer    string // host and port of the connection; "" over NATS, where messages have no address
}

// request is what is believed of a message that was sent by the service via, or by nobody who says who they are. Only a service of the
// mesh knows which request of a client this belongs to, and where that came from. Otherwise the address is the connection's own.
func (c claimed) request(via string) request.Request {
	r := request.Request{Via: via, UserAgent: text.Bounded(c.agent, maxAgent), Token: request.Token(bearer(c.authorization))}
	address := c.peer
	if via != "" {
		r.ID, address = c.id, c.ip
	}
	if !plainID(r.ID) {
		r.ID = newID()
	}
	r.ClientIP = plainIP(address)
	return r
}

// plainIP is the address of "192.0.2.1", "::1", "192.0.2.1:80" or "[::1]:80" in one spelling, or "".
func plainIP(address string) string {
	address = address[:min(len(address), maxAddress)]
	a, err := netip.ParseAddr(address)
	if err != nil {
		with, err := netip.ParseAddrPort(address)
		if err != nil {
			return ""
		}
		a = with.Addr()
	}
	return a.Unmap().WithZone("").String() // a zone is any text, and names an interface of some other machine
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
