// Package request owns what is known of the client's request in any service that works on it, however far from the gateway: its id,
// where it came from, and the token it was made with. Transports put it into the context; the domain reads it and knows no transport.
package request

import (
	"context"
	"log/slog"
)

// Request is a client's request. The zero value is for work that no client asked for.
type Request struct {
	ID        string // request id, for support
	ClientIP  string // the client's address; "" when it is not known. Whose word that is says Via
	Via       string // the service that made the hop and says so, "gateway"; "": none, the address is that of the connection itself
	UserAgent string // at most 512 bytes of valid UTF-8, as the client says it
	Token     Token  // the access token that the request was made with; "" for none
}

// Gateway is the name of the service that clients call: the only one that sees their addresses.
const Gateway = "gateway"

// SeenIP is the client's address for decisions: as the gateway saw it, or as this service sees it on its own connection. It is "" when
// another service has only passed it on, which may go into a record and decides nothing.
func (r Request) SeenIP() string {
	if r.Via != "" && r.Via != Gateway {
		return ""
	}
	return r.ClientIP
}

// Token is an access token. It never shows in fmt's output, nor in a log line.
type Token string

// String hides the token from fmt.
func (Token) String() string { return "[redacted]" }

// LogValue hides the token from slog.
func (Token) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// GoString hides the token from fmt's %#v.
func (Token) GoString() string { return "[redacted]" }

type contextKey struct{}

// From is the client's request that ctx belongs to; the zero value outside of one.
func From(ctx context.Context) Request {
	r, _ := ctx.Value(contextKey{}).(Request)
	return r
}

// With says in ctx which client's request this is.
func With(ctx context.Context, r Request) context.Context {
	return context.WithValue(ctx, contextKey{}, r)
}

// WithToken makes the clients of package op call with this access token.
func WithToken(ctx context.Context, token string) context.Context {
	r := From(ctx)
	r.Token = Token(token)
	return With(ctx, r)
}
