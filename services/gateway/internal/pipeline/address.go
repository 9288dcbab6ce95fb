package pipeline

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/atrium-mesh/atrium/pkg/netaddr"
	"github.com/atrium-mesh/atrium/pkg/op"
)

// address finds the client's real address: of the forwarding fields only what trusted proxies wrote counts, from the right.
func (p *Pipeline) address(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ExchangeFrom(r.Context()).ClientIP = p.TrustedProxies.Client(r).String()
		next.ServeHTTP(w, r)
	})
}

// strip deletes every field by which a client could pretend to be somebody or to come from somewhere. What services need of it is
// set again from what the gateway knows.
func (p *Pipeline) strip(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name := range r.Header {
			if identity(name) {
				r.Header.Del(name)
			}
		}
		next.ServeHTTP(w, r)
	})
}

func identity(name string) bool {
	switch name {
	case "Forwarded", "Via", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip",
		"X-Original-Url", "X-Rewrite-Url", "X-Original-Host", "X-Http-Method-Override", "X-Http-Method", "X-Method-Override",
		"X-User", "X-User-Id", "X-Remote-User", "Remote-User", op.HeaderRequestID:
		return true
	}
	return strings.HasPrefix(name, "X-Forwarded-") || strings.HasPrefix(name, "X-Atrium-") || strings.HasPrefix(name, "Atrium-") ||
		strings.HasPrefix(name, "X-Auth-")
}

// addressKey is what an address is limited by: one of an IPv6 network stands for all of it.
func addressKey(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	return netaddr.LimitKey(a)
}
