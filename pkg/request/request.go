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
	ClientIP  string // the client's address as the gateway saw it; "" when it is not known
	UserAgent string // at most 512 bytes of valid UTF-8
	Token     Token  // the access token that the request was made with; "" for none
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
