package pipeline

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
)

// recover turns a panic into a 500 without a word about it, and a log line with all of it.
func (p *Pipeline) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &Exchange{RequestID: requestID(r)}
		rec := &recorder{ResponseWriter: w, x: x}
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v) // net/http's own way to drop a connection
			}
			p.Logger.ErrorContext(r.Context(), "panic", "error", fmt.Sprint(v), "stack", string(debug.Stack()), "request_id", x.RequestID)
			if x.status == 0 {
				errs.WriteProblem(rec, errs.Internal, x.RequestID)
			}
		}()
		next.ServeHTTP(rec, r.WithContext(WithExchange(r.Context(), x)))
	})
}

// requestID keeps a client's own id when it is a UUID, so that he can find it again, and makes one otherwise.
func requestID(r *http.Request) string {
	if id, err := uuid.Parse(r.Header.Get(op.HeaderRequestID)); err == nil {
		return id.String()
	}
	return uuid.Must(uuid.NewV7()).String()
}

// observe opens the trace (or joins the client's), and when all is done measures and writes the one log line.
func (p *Pipeline) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, x := time.Now(), ExchangeFrom(r.Context())
		ctx := p.Propagator.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, span := p.tracer.Start(ctx, r.Method, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
			attribute.String("http.request.method", r.Method), attribute.String("atrium.request_id", x.RequestID)))
		defer span.End()
		h := w.Header()
		h.Set(op.HeaderRequestID, x.RequestID)
		p.securityHeaders(h)
		defer func() { p.finish(r.WithContext(ctx), span, x, time.Since(start)) }()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func (p *Pipeline) securityHeaders(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	if p.HSTS {
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
}

func (p *Pipeline) finish(r *http.Request, span trace.Span, x *Exchange, took time.Duration) {
	status, route, service := cmp.Or(x.status, http.StatusOK), "none", "gateway"
	if x.Route != nil {
		route, service = x.Route.Path, x.Route.Service
		span.SetName(r.Method + " " + route)
	}
	span.SetAttributes(attribute.String("http.route", route), attribute.Int("http.response.status_code", status))
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, http.StatusText(status))
	}
	attrs := []slog.Attr{
		slog.String("method", r.Method), slog.String("route", route), slog.String("service", service), slog.Int("status", status),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000), slog.Int64("bytes", x.bytes), slog.String("request_id", x.RequestID),
	}
	if x.Principal != nil {
		attrs = append(attrs, slog.String("subject", x.Principal.Subject))
	}
	level := slog.LevelInfo
	if x.err != nil {
		attrs = append(attrs, slog.String("code", errs.From(x.err).Code))
		if errs.KindOf(x.err).OpensBreaker() {
			level = slog.LevelError
			attrs = append(attrs, slog.String("error", x.err.Error()))
		}
	}
	p.Logger.LogAttrs(r.Context(), level, "request", attrs...)
	p.duration.Record(r.Context(), took.Seconds(), metric.WithAttributes(attribute.String("http.request.method", r.Method),
		attribute.String("http.route", route), attribute.Int("http.response.status_code", status)))
}
