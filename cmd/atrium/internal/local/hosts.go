package local

import (
	"net/http"
	"slices"
	"strings"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/netaddr"
)

// Hosts are the names under which the /dev pages are served besides addresses and localhost. Mails hold links that change passwords; a
// page of somebody else's whose name is made to resolve to us (DNS rebinding) is of our origin to its browser, and only the Host that the
// browser sends tells.
type Hosts []string

// allow reports whether a request's Host is ours: an address, which no DNS server chooses, localhost and names below it (RFC 6761 section
// 6.3), or a name that was configured.
func (h Hosts) allow(hostport string) bool {
	host, address := netaddr.Host(hostport)
	return address.IsValid() || netaddr.Local(hostport) || slices.ContainsFunc(h, func(name string) bool {
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
