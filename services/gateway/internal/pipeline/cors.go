package pipeline

import (
	"net/http"

	"github.com/rs/cors"

	"github.com/atrium-mesh/atrium/pkg/op"
)

// cors lets browsers on the allowed origins call, with cookies, and answers their preflights. All others get no CORS field, which
// makes their browser refuse.
func (p *Pipeline) cors(next http.Handler) http.Handler {
	if len(p.Origins) == 0 {
		return next
	}
	return cors.New(cors.Options{
		AllowedOrigins: p.Origins, AllowCredentials: true, MaxAge: 600,
		AllowedMethods: []string{
			http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		},
		AllowedHeaders: []string{
			"Authorization", "Content-Type", "If-Match", "If-None-Match", "Idempotency-Key", "Last-Event-ID", op.HeaderRequestID,
			"Traceparent", "Tracestate",
		},
		ExposedHeaders: []string{
			"ETag", "Location", "Retry-After", "RateLimit", "RateLimit-Policy", "Deprecation", "Sunset", "Link", "WWW-Authenticate",
			op.HeaderRequestID,
		},
	}).Handler(next)
}

// anyPage lets the page that asks read the answer, whatever its origin, but not with its visitor's cookies. It is for what a ticket opened.
func anyPage(h http.Header) {
	if h.Get("Access-Control-Allow-Origin") == "" {
		h.Set("Access-Control-Allow-Origin", "*")
	}
}
