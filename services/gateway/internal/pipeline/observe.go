package pipeline

import (
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/token"
)

type metrics struct {
	duration metric.Float64Histogram
	streams  metric.Int64UpDownCounter
}

func newMetrics(provider metric.MeterProvider) (metrics, error) {
	meter := provider.Meter("atrium/gateway")
	duration, err := meter.Float64Histogram("http.server.request.duration",
		metric.WithUnit("s"), metric.WithDescription("How long requests take, by route, method and status; without streams."),
		metric.WithExplicitBucketBoundaries(.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10))
	streams, err2 := meter.Int64UpDownCounter("atrium.gateway.streams",
		metric.WithUnit("{stream}"), metric.WithDescription("WebSockets and event streams that are open."))
	return metrics{duration: duration, streams: streams}, errors.Join(err, err2)
}

// observe opens the trace, and when all is done measures and writes the one log line.
func (p *Pipeline) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, x := time.Now(), &Exchange{RequestID: requestID(r)}
		answerWithin(w, p.AnswerTimeout)
		ctx, span := p.startSpan(WithExchange(r.Context(), x), r, x)
		defer span.End()
		h := w.Header()
		h.Set(op.HeaderRequestID, x.RequestID)
		p.securityHeaders(h)
		r, aborted := r.WithContext(ctx), true
		defer func() { p.finish(r, span, x, time.Since(start), aborted) }()
		next.ServeHTTP(&recorder{ResponseWriter: w, x: x}, r)
		aborted = false
	})
}

// requestID keeps a client's own id when it is a UUID, so that he can find it again, and makes one otherwise.
func requestID(r *http.Request) string {
	if id, err := uuid.Parse(r.Header.Get(op.HeaderRequestID)); err == nil {
		return id.String()
	}
	return uuid.Must(uuid.NewV7()).String()
}

// answerWithin bounds how long a client who reads slowly can hold a request. Every request sets it anew on its connection.
func answerWithin(w http.ResponseWriter, d time.Duration) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(d)) // not offered by every writer: only a precaution
}

// method is one of a few words, whatever the client sends.
func method(r *http.Request) string {
	known := []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
	}
	if slices.Contains(known, r.Method) {
		return r.Method
	}
	return "_OTHER"
}

func (p *Pipeline) securityHeaders(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	if p.HSTS != "" {
		h.Set("Strict-Transport-Security", p.HSTS)
	}
}

func (p *Pipeline) finish(r *http.Request, span trace.Span, x *Exchange, took time.Duration, aborted bool) {
	status, route, upstream, stream := x.answered(), "none", "none", false
	if x.Route != nil {
		route, upstream, stream = x.Route.Path, x.Route.Service, x.Route.Stream
		span.SetName(method(r) + " " + route)
	}
	span.SetAttributes(attribute.String("http.route", route), attribute.Int("http.response.status_code", status))
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, http.StatusText(status))
	}
	attrs := []slog.Attr{
		slog.String("method", method(r)), slog.String("route", route), slog.String("upstream", upstream), slog.Int("status", status),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000), slog.Int64("bytes", x.bytes), slog.String("request_id", x.RequestID),
	}
	if client := p.LogClient(x.Client); client != "" {
		attrs = append(attrs, slog.String("client", client))
	}
	if x.Principal != nil && x.Principal.Type != token.TypeExternal { // what others put into a subject may be an e-mail address
		attrs = append(attrs, slog.String("subject", x.Principal.Subject))
	}
	if aborted {
		attrs = append(attrs, slog.Bool("aborted", true))
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
	if !stream {
		p.metrics.duration.Record(r.Context(), took.Seconds(), metric.WithAttributes(attribute.String("http.request.method", method(r)),
			attribute.String("http.route", route), attribute.Int("http.response.status_code", status)))
	}
}
