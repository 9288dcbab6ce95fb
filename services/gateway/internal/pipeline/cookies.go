package pipeline

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/atrium-mesh/atrium/pkg/netaddr"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
)

// cookiesLost is why the browser that sent this would not keep a cookie of ours; "" when it would, and for programs, which say nothing of a
// page. That a page calls without credentials cannot be seen from here.
func (p *Pipeline) cookiesLost(r *http.Request) string {
	site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	switch {
	case site == "" && origin == "":
		return ""
	case !strings.HasPrefix(p.Origin, "https://") && !netaddr.Local(r.Host):
		return auth.LostInsecure
	case site == "cross-site", site == "" && !sameSiteAs(origin, p.Origin):
		return auth.LostCrossSite
	default:
		return ""
	}
}

// sameSiteAs reports whether two origins are of one site (https://html.spec.whatwg.org/#same-site), for browsers that do not say it.
func sameSiteAs(a, b string) bool {
	one, err := url.Parse(a)
	other, err2 := url.Parse(b)
	if err != nil || err2 != nil || one.Scheme != other.Scheme {
		return false
	}
	return siteOf(one.Hostname()) == siteOf(other.Hostname())
}

// siteOf is a host's registrable domain; an address, or a name without one, is a site of its own.
func siteOf(host string) string {
	host = strings.ToLower(host)
	if _, err := netip.ParseAddr(host); err == nil {
		return host
	}
	if domain, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return domain
	}
	return host
}
