package pipeline

import (
	"net/http"
	"slices"

	"github.com/rs/cors"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
)

// cors lets browsers on the allowed origins call, with cookies, and answers their preflights. All others get no CORS field, which
// makes their browser refuse.
func (p *Pipeline) cors(next http.Handler) http.Handler {
	if len(p.Origins) == 0 {
		return next
	}
	c := cors.New(cors.Options{
		AllowedOrigins: p.Origins, AllowCredentials: true, MaxAge: 600,
		AllowedMethods: []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete},
		AllowedHeaders: []string{
			"Authorization", "Content-Type", "If-Match", "If-None-Match", "Idempotency-Key", "Last-Event-ID", op.HeaderRequestID,
			"Traceparent", "Tracestate",
		},
		ExposedHeaders: []string{
			"ETag", "Location", "Retry-After", "RateLimit", "RateLimit-Policy", "Deprecation", "Sunset", "Link", "WWW-Authenticate",
			op.HeaderRequestID,
		},
	})
	return c.Handler(next)
}

// sameSite refuses a browser's request from a foreign site that would act with the person's cookies: unsafe methods, and the
// WebSocket handshake, which is a GET that CORS does not cover.
func (p *Pipeline) sameSite(r *http.Request) error {
	if upgrade(r) {
		origin := r.Header.Get("Origin")
		if origin == "" || origin == "http://"+r.Host || origin == "https://"+r.Host || slices.Contains(p.Origins, origin) {
			return nil
		}
		return crossOrigin(nil)
	}
	protection := http.NewCrossOriginProtection()
	for _, o := range p.Origins {
		if err := protection.AddTrustedOrigin(o); err != nil {
			return crossOrigin(err)
		}
	}
	if err := protection.Check(r); err != nil {
		return crossOrigin(err)
	}
	return nil
}

func crossOrigin(cause error) error {
	return errs.New(errs.Forbidden, "cross_origin_refused", "A page of another origin may not do this; see CORS_ORIGINS.").WithCause(cause)
}

func upgrade(r *http.Request) bool { return r.Header.Get("Upgrade") != "" }
