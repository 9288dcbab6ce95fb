// Package netaddr owns the answer to "who is calling?" when proxies stand between: the real client address.
//
// Anybody can send X-Forwarded-For, so that only what trusted proxies wrote counts. Each proxy appends the address it was called from:
//
//	X-Forwarded-For: 198.51.100.9, 203.0.113.7, 10.0.0.4      connection from 10.0.0.5
//	                 └ forged      └ the client └ trusted                     └ trusted
//
// Walking from the right, the first address that is not a trusted proxy is the client. With no trusted proxies that is always the
// address of the connection.
package netaddr

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

const (
	forwardedFor = "X-Forwarded-For"
	maxHops      = 64 // more proxies than that nobody has
)

// Trusted are the networks of the proxies that may say for whom they call. The zero value trusts nobody.
type Trusted struct{ networks []netip.Prefix }

// ParseTrusted reads networks ("10.0.0.0/8") and single addresses ("::1"), and reports all that it cannot read.
func ParseTrusted(networks []string) (Trusted, error) {
	var t Trusted
	var problems []error
	for _, text := range networks {
		prefix, err := parsePrefix(strings.TrimSpace(text))
		if err != nil {
			problems = append(problems, fmt.Errorf("trusted proxy %q is neither a network nor an address", text))
			continue
		}
		t.networks = append(t.networks, prefix)
	}
	return t, errors.Join(problems...)
}

func parsePrefix(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return netip.Prefix{}, err //nolint:wrapcheck // the caller says what it was
		}
		addr = addr.Unmap().WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, err //nolint:wrapcheck // the caller says what it was
	}
	if addr := prefix.Addr(); addr.Is4In6() {
		if prefix.Bits() < 96 {
			return netip.Prefix{}, errors.New("a network of mapped addresses that is wider than IPv4")
		}
		prefix = netip.PrefixFrom(addr.Unmap(), prefix.Bits()-96)
	}
	return prefix.Masked(), nil
}

// Contains reports whether addr is a trusted proxy.
func (t Trusted) Contains(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, network := range t.networks {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// Calls reports whether it is a trusted proxy that makes the request r, so that what it says of other things than the client's address,
// such as the trace, can be believed as well.
func (t Trusted) Calls(r *http.Request) bool { return t.Contains(parseHop(r.RemoteAddr)) }

// Client is the real address of the client of r. It is not valid only when the address of the connection is not, as on a Unix
// socket. What a proxy wrote that cannot be read ends the walk: the client is then the last address that is known to be true.
func (t Trusted) Client(r *http.Request) netip.Addr {
	client := parseHop(r.RemoteAddr)
	if !t.Contains(client) {
		return client
	}
	hops := strings.Join(r.Header.Values(forwardedFor), ",") // several lines are one list (RFC 9110, section 5.3)
	for range maxHops {
		last := strings.LastIndexByte(hops, ',')
		hop := parseHop(strings.TrimSpace(hops[last+1:]))
		if !hop.IsValid() {
			return client
		}
		client = hop
		if last < 0 || !t.Contains(client) {
			return client
		}
		hops = hops[:last]
	}
	return client
}

// parseHop reads an address, with or without a port, brackets or a zone. IPv4 in IPv6 becomes IPv4.
func parseHop(text string) netip.Addr {
	if len(text) > len("[0000:0000:0000:0000:0000:0000:255.255.255.255%0123456789abcdef]:65535") {
		return netip.Addr{}
	}
	if withPort, err := netip.ParseAddrPort(text); err == nil {
		return withPort.Addr().Unmap().WithZone("")
	}
	if inner, ok := strings.CutPrefix(text, "["); ok {
		if inner, ok = strings.CutSuffix(inner, "]"); ok {
			text = inner
		}
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap().WithZone("")
}

// Host is the host of "name", "name:port", "[address]:port" or an address, as URLs and the Host field have it: a name in lower case, without
// the dot that may end it, or a valid address.
func Host(hostport string) (name string, address netip.Addr) {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	name = strings.TrimSuffix(strings.ToLower(host), ".")
	if inner, ok := strings.CutPrefix(name, "["); ok {
		name = strings.TrimSuffix(inner, "]")
	}
	if a, err := netip.ParseAddr(name); err == nil {
		return "", a.Unmap()
	}
	return name, netip.Addr{}
}

// Local reports whether a host, with or without a port, is the machine that asks: localhost, a name below it (RFC 6761 section 6.3), or a
// loopback address. Browsers take plain HTTP to it as secure (https://w3c.github.io/webappsec-secure-contexts).
func Local(hostport string) bool {
	name, address := Host(hostport)
	return address.IsLoopback() || name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// Shorten is the network that addr is in, as logs and statistics may keep it: the /24 of an IPv4 address, the /48 of an IPv6 address. That
// is a site or a provider's block, not a household. It is "" for an address that is not valid.
func Shorten(addr netip.Addr) string {
	addr = addr.Unmap().WithZone("")
	switch {
	case !addr.IsValid():
		return ""
	case addr.Is4():
		return netip.PrefixFrom(addr, 24).Masked().String()
	default:
		return netip.PrefixFrom(addr, 48).Masked().String()
	}
}

// LimitKey is what a limit by address counts: an IPv4 address, and of an IPv6 address its /64, since that is what one client has. It is
// "unknown" for an address that is not valid, which all such clients share.
func LimitKey(addr netip.Addr) string {
	addr = addr.Unmap().WithZone("")
	switch {
	case !addr.IsValid():
		return "unknown"
	case addr.Is4():
		return addr.String()
	default:
		return netip.PrefixFrom(addr, 64).Masked().String()
	}
}
