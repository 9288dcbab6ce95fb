package pipeline

import (
	"net/http"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/ratelimit"
)

// limitAddress counts what nobody has signed in for by the client's address: sign-in and sign-up always, all else when it bears no
// token.
func (p *Pipeline) limitAddress(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := ExchangeFrom(r.Context())
		byAddress := x.Route.Limit == op.LimitSignIn || x.Route.Limit == op.LimitSignUp
		if !byAddress && x.Route.Limit == op.LimitAPI {
			token, _ := credentials(r, x.Route.Stream)
			byAddress = token == ""
		}
		if byAddress && !p.allow(w, r, x.Route.Limit, "address:"+addressKey(x.ClientIP)) {
			return
		}
		next.ServeHTTP(w, r)
	})
}

// limitUser counts the rest by who has signed in.
func (p *Pipeline) limitUser(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := ExchangeFrom(r.Context())
		if x.Route.Limit == op.LimitAPI && x.Principal != nil && !p.allow(w, r, op.LimitAPI, "user:"+x.Principal.Subject) {
			return
		}
		next.ServeHTTP(w, r)
	})
}

// allow counts one request and says so in the RateLimit fields. It answers 429 itself when there are too many.
func (p *Pipeline) allow(w http.ResponseWriter, r *http.Request, limit op.Limit, key string) bool {
	l, ok := p.Limits[limit]
	if !ok {
		return true
	}
	d, err := l.Limiter.Allow(r.Context(), key)
	if err != nil {
		Refuse(w, r, errs.New(errs.Unavailable, "limits_unavailable", "Requests cannot be counted for a moment; try again.").WithCause(err))
		return false
	}
	ratelimit.WriteHeader(w.Header(), l.Name, l.Limit, d)
	if d.Allowed {
		return true
	}
	Refuse(w, r, errs.New(errs.RateLimited, "rate_limited", "Too many requests; wait for as long as Retry-After says.").WithRetryAfter(d.RetryAfter))
	return false
}
