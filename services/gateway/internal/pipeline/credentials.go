package pipeline

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/atrium-mesh/atrium/pkg/errs"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/gateway/internal/routes"
	notifications "github.com/atrium-mesh/atrium/services/notifications/api"
)

// paramToken is where RFC 6750 section 2.3 would let clients put a token, and we do not: addresses are logged by proxies, kept in
// histories, and sent on as Referer.
const paramToken = "access_token"

// source is where a credential was found.
type source int

const (
	fromNowhere source = iota
	fromField          // Authorization: Bearer …
	fromTicket         // ?ticket=…, of a stream
	fromCookie
)

// credential is what a request says who it is by.
type credential struct {
	text string
	from source
}

// credentials is the request's credential. The Authorization field counts before the cookie, which browsers add by themselves; a field of
// another scheme, such as the Basic of a proxy in front, is none of ours.
//
// A cookie that is there twice decides nothing for an operation that asks for no person and reads no cookie. So a neighbouring host, which can
// add a cookie to ours, keeps nobody from a new password or from "this wasn't me".
func credentials(r *http.Request, route *routes.Route) (credential, error) {
	stream, indifferent := route.Stream, route.Allow.IsPublic() && len(route.Cookies) == 0
	query, cookie := queryValues(r.URL.RawQuery), ""
	if _, ok := query[paramToken]; ok {
		return credential{}, errs.New(errs.Unauthenticated, "token_in_url",
			"Do not put an access token into a URL: send it in the Authorization field. Streams of browsers take a ticket, see "+
				"POST "+notifications.CreateStreamTicket.Path+".")
	}
	for _, name := range auth.Cookies() {
		found := r.CookiesNamed(name)
		if len(found) > 1 && !indifferent {
			return credential{}, twice("The cookie " + name)
		}
		if len(found) == 1 && name == auth.CookieAccess {
			cookie = found[0].Value
		}
	}
	tickets := query[notifications.ParamTicket]
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	bearer := strings.EqualFold(scheme, "Bearer")
	switch {
	case stream && len(tickets) > 1, stream && len(tickets) == 1 && bearer:
		return credential{}, twice("The credential")
	case bearer:
		return credential{strings.TrimSpace(value), fromField}, nil
	case stream && len(tickets) == 1:
		return credential{tickets[0], fromTicket}, nil
	case cookie != "":
		return credential{cookie, fromCookie}, nil
	default:
		return credential{}, nil
	}
}

// twice refuses what two readers could read differently: a cookie that a neighbouring host has added to ours, say.
func twice(what string) error {
	return errs.New(errs.Malformed, "credentials_ambiguous", what+" was sent more than once: send one.")
}

// dropCredentials makes sure that nothing of what the client sent goes further. A service gets the token that was verified.
func dropCredentials(r *http.Request, stream bool) {
	r.Header.Del("Authorization")
	if !stream {
		return
	}
	if _, ok := queryValues(r.URL.RawQuery)[notifications.ParamTicket]; !ok {
		return
	}
	var kept []string
	for pair := range strings.FieldsFuncSeq(r.URL.RawQuery, separates) {
		if name, _ := queryPair(pair); name != notifications.ParamTicket {
			kept = append(kept, pair)
		}
	}
	u := *r.URL
	u.RawQuery = strings.Join(kept, "&")
	r.URL = &u
}

// queryValues reads a query as generously as anybody behind us could: pairs end at "&" and at ";", and what is not well escaped is itself.
func queryValues(raw string) map[string][]string {
	out := map[string][]string{}
	for pair := range strings.FieldsFuncSeq(raw, separates) {
		name, value := queryPair(pair)
		out[name] = append(out[name], value)
	}
	return out
}

func separates(r rune) bool { return r == '&' || r == ';' }

func queryPair(pair string) (name, value string) {
	name, value, _ = strings.Cut(pair, "=")
	return unescape(name), unescape(value)
}

func unescape(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

// hasCookie reports that a cookie of ours came along: a person's browser sent this.
func hasCookie(r *http.Request) bool {
	for _, name := range auth.Cookies() {
		if len(r.CookiesNamed(name)) > 0 {
			return true
		}
	}
	return false
}
