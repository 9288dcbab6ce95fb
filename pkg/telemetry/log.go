package telemetry

import (
	"context"
	"io"
	"log/slog"
	"strings"

	"go.opentelemetry.io/otel/trace"
)

// redacted stands where a secret would have been.
const redacted = "[redacted]"

// newLogger writes one line for each record, with the service and the ids of the span it was made in.
func newLogger(cfg Config, w io.Writer) *slog.Logger {
	opts := &slog.HandlerOptions{Level: cfg.LogLevel, ReplaceAttr: redact}
	var handler slog.Handler = slog.NewJSONHandler(w, opts)
	if cfg.LogFormat == "text" {
		handler = slog.NewTextHandler(w, opts)
	}
	return slog.New(correlated{handler}).With("service", cfg.Service)
}

// correlated adds the ids of the current span to every record.
type correlated struct{ slog.Handler }

func (h correlated) Handle(ctx context.Context, record slog.Record) error {
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		record = record.Clone()
		record.AddAttrs(slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
	}
	return h.Handler.Handle(ctx, record)
}

func (h correlated) WithAttrs(attrs []slog.Attr) slog.Handler {
	return correlated{h.Handler.WithAttrs(attrs)}
}

func (h correlated) WithGroup(name string) slog.Handler { return correlated{h.Handler.WithGroup(name)} }

// redact is the last line of defence for a secret that is logged by mistake. It looks at the last word of a key, so
// that "refresh_token" is hidden and "token_id" or "token_count" is not.
func redact(_ []string, attr slog.Attr) slog.Attr {
	if isSecret(attr.Key) {
		return slog.String(attr.Key, redacted)
	}
	return attr
}

func isSecret(key string) bool {
	key = strings.ToLower(key)
	for _, word := range []string{"password", "passwd", "token", "authorization", "secret", "cookie", "secret_key", "api_key", "apikey", "private_key"} {
		if strings.HasSuffix(key, word) {
			return true
		}
	}
	return false
}
