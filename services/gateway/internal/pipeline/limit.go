package pipeline

import (
	"net/http"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/netaddr"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/ratelimit"
)

// limitAddress counts by the client's address, before anybody is asked: sign-in and sign-up always; all else when it shows nothing that can be
// verified here, which is a token. A ticket costs its owner's service a call and a transaction, so that it is counted first, good or not.
func (p *Pipeline) limitAddress(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := ExchangeFrom(r.Context())
		counts := x.Route.Limit != op.LimitNone
		if x.Route.Limit == op.LimitAPI {
			c, err := credentials(r, x.Route)
			counts = err != nil || c.text == "" || c.from == fromTicket
		}
		if counts && !p.allow(w, r, x.Route.Limit, byAddress(x)) {
			return
		}
		next.ServeHTTP(w, r)
	})
}

// limitUser counts the rest, each once: by who has signed in, or by address where a public operation was called with a token that is not good.
func (p *Pipeline) limitUser(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := ExchangeFrom(r.Context())
		key := byAddress(x)
		if x.Principal != nil {
			key = "user:" + x.Principal.Subject
		}
		if !x.counted && x.Route.Limit == op.LimitAPI && !p.allow(w, r, op.LimitAPI, key) {
			return
		}
		next.ServeHTTP(w, r)
	})
}

// byAddress is one key for all of an IPv6 network that one client has.
func byAddress(x *Exchange) string { return "address:" + netaddr.LimitKey(x.Client) }

// allow counts one request and says so in the RateLimit fields. It answers 429 itself when there are too many.
func (p *Pipeline) allow(w http.ResponseWriter, r *http.Request, limit op.Limit, key string) bool {
	ExchangeFrom(r.Context()).counted = true
	l, ok := p.Limits[limit]
	if !ok {
		return true
	}
	d, err := l.Limiter.Allow(r.Context(), key)
	if err != nil { // only when the client is gone
		Refuse(w, r, err)
		return false
	}
	ratelimit.WriteHeader(w.Header(), l.Name, l.Limit, d)
	if d.Allowed {
		return true
	}
	Refuse(w, r, errs.New(errs.RateLimited, "rate_limited", "Too many requests; wait for as long as Retry-After says.").WithRetryAfter(d.RetryAfter))
	return false
}
