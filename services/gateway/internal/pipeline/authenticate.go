package pipeline

import (
	"net/http"
	"net/url"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
)

// CookieAccess is the HttpOnly cookie that auth sets for browsers that asked for cookies instead of tokens in the body.
const CookieAccess = "__Host-atrium_access"

// authenticate verifies the token, from the Authorization field, the cookie, or for streams of browsers, which can set no field, the
// access_token query parameter (RFC 6750 section 2.3), which goes no further than here. A browser's cookies count only when the
// page is of an allowed origin. A bad token on a public operation is ignored: it must not keep anybody from signing in again.
func (p *Pipeline) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := ExchangeFrom(r.Context())
		token, cookie := credentials(r, x.Route.Stream)
		dropQueryToken(r)
		r.Header.Del("Authorization")
		if cookie || token == "" {
			if err := p.sameSite(r); err != nil {
				Refuse(w, r, err)
				return
			}
		}
		if token != "" {
			who, err := p.Verifier.Verify(r.Context(), token)
			switch {
			case err == nil:
				x.Token, x.Principal = token, who
				trace.SpanFromContext(r.Context()).SetAttributes(attribute.String("enduser.id", who.Subject))
			case x.Route.Allow.IsPublic():
			case errs.KindOf(err) == errs.Unauthenticated && !p.allow(w, r, op.LimitAPI, "address:"+addressKey(x.ClientIP)):
				return // who tries tokens is limited like a stranger
			default:
				Refuse(w, r, err)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// authorize checks the operation's policy, the same that the service checks again.
func (p *Pipeline) authorize(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := ExchangeFrom(r.Context())
		if err := x.Route.Allow.Check(x.Principal, func(name string) string { return x.Params[name] }); err != nil {
			Refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// credentials is the request's token, and whether it came from a cookie.
func credentials(r *http.Request, stream bool) (token string, cookie bool) {
	if scheme, value, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(value), false
	}
	if stream {
		if t := r.URL.Query().Get("access_token"); t != "" {
			return t, false
		}
	}
	if c, err := r.Cookie(CookieAccess); err == nil && c.Value != "" {
		return c.Value, true
	}
	return "", false
}

func dropQueryToken(r *http.Request) {
	if !strings.Contains(r.URL.RawQuery, "access_token") {
		return
	}
	q := r.URL.Query()
	q.Del("access_token")
	u := *r.URL
	u.RawQuery = q.Encode()
	r.URL = &u
	r.RequestURI = (&url.URL{Path: u.Path, RawQuery: u.RawQuery}).RequestURI()
}
