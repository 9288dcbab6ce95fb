package pipeline

import (
	"net/http"
	"strings"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
)

// authenticate verifies the token. A browser's cookies count only when the page is of an allowed origin. A bad token on a public
// operation is ignored: it must not keep anybody from signing in again.
func (p *Pipeline) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := ExchangeFrom(r.Context())
		token, cookie := credentials(r, x.Route.Stream)
		dropCredentials(r)
		if cookie || token == "" {
			if err := p.sameSite(r); err != nil {
				Refuse(w, r, err)
				return
			}
		}
		if token != "" && !p.verify(w, r, x, token) {
			return
		}
		next.ServeHTTP(w, r)
	})
}

// verify notes whose token it is. It answers itself when the request must not go on.
func (p *Pipeline) verify(w http.ResponseWriter, r *http.Request, x *Exchange, token string) bool {
	who, err := p.Verifier.Verify(r.Context(), token)
	switch {
	case err == nil:
		x.Token, x.Principal = token, who
		return true
	case x.Route.Allow.IsPublic():
		return true
	case errs.KindOf(err) == errs.Unauthenticated && !p.allow(w, r, op.LimitAPI, byAddress(x)):
		return false // who tries tokens is limited like a stranger
	}
	Refuse(w, r, err)
	return false
}

// paramToken is the query parameter that carries the token of a stream.
const paramToken = "access_token"

// credentials is the request's token, and whether it came from a cookie. It is looked for in the Authorization field, for streams of
// browsers, which can set no field, in the query (RFC 6750 section 2.3), and in the cookie.
func credentials(r *http.Request, stream bool) (token string, cookie bool) {
	if scheme, value, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(value), false
	}
	if stream {
		if t := r.URL.Query().Get(paramToken); t != "" {
			return t, false
		}
	}
	if c, err := r.Cookie(auth.CookieAccess); err == nil && c.Value != "" {
		return c.Value, true
	}
	return "", false
}

// dropCredentials makes sure that nothing of what the client sent goes further. A service gets the token that was verified.
func dropCredentials(r *http.Request) {
	r.Header.Del("Authorization")
	if q := r.URL.Query(); q.Has(paramToken) {
		q.Del(paramToken)
		u := *r.URL
		u.RawQuery = q.Encode()
		r.URL = &u
	}
}
