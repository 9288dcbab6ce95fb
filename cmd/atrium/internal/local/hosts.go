package local

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/atrium-mesh/atrium/pkg/errs"
)

// Hosts are the names under which the /dev pages are served besides addresses and localhost. Mails hold links that change passwords; a
// page of somebody else's whose name is made to resolve to us (DNS rebinding) is of our origin to its browser, and only the Host that the
// browser sends tells.
type Hosts []string

// allow reports whether a request's Host is ours: an address, which no DNS server chooses, localhost and names below it (RFC 6761 section
// 6.3), or a name that was configured.
func (h Hosts) allow(hostport string) bool {
	host := hostport
	if name, _, err := net.SplitHostPort(hostport); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || slices.ContainsFunc(h, func(name string) bool {
		return strings.EqualFold(strings.TrimSuffix(name, "."), host)
	})
}

// guarded keeps other sites' pages out: a cross-origin request may not change anything, and the Host must be ours, on every listener.
func guarded(next http.Handler, hosts Hosts) http.Handler {
	next = http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !hosts.allow(r.Host) {
			errs.WriteProblem(w, errs.New(errs.Forbidden, "foreign_host", "The /dev pages are served under an address, localhost, or a name that was "+
				"allowed: start with --allow-host NAME to allow this one."), "")
			return
		}
		next.ServeHTTP(w, r)
	})
}
