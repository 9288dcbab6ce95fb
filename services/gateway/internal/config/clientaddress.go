package config

import (
	"errors"
	"net/netip"

	"github.com/atrium-mesh/atrium/pkg/netaddr"
)

// ClientAddress says how log lines name the client's address. An address is personal data, and whoever looks into an attack needs it:
// the operator decides for how much of it there is a reason.
type ClientAddress string

// The ways to name a client's address.
const (
	ClientAddressFull  ClientAddress = "full"
	ClientAddressShort ClientAddress = "short" // the network: see netaddr.Shorten
	ClientAddressOff   ClientAddress = "off"
)

// UnmarshalText makes a ClientAddress a configuration value.
func (a *ClientAddress) UnmarshalText(text []byte) error {
	switch v := ClientAddress(text); v {
	case ClientAddressFull, ClientAddressShort, ClientAddressOff:
		*a = v
		return nil
	default:
		return errors.New("must be full, short or off")
	}
}

// Name is what a log line says of addr; "" leaves it out.
func (a ClientAddress) Name(addr netip.Addr) string {
	switch {
	case !addr.IsValid() || a == ClientAddressOff:
		return ""
	case a == ClientAddressShort:
		return netaddr.Shorten(addr)
	default:
		return addr.String()
	}
}
