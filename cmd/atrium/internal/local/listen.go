package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"

	"github.com/atrium-mesh/atrium/pkg/netaddr"
)

// listenAddress is where the gateway listens and how people reach it.
type listenAddress struct {
	Host   string // as asked for; empty: every address
	Port   int
	Origin string // http://localhost:8080
}

// Addr is what a server listens on.
func (a listenAddress) Addr() string { return net.JoinHostPort(a.Host, strconv.Itoa(a.Port)) }

// Loopback says that only this machine reaches the gateway.
func (a listenAddress) Loopback() bool { return netaddr.Local(a.Host) }

// parseListen reads host:port, :port or port; it finds a free port for port 0 and says early when one is taken.
func parseListen(ctx context.Context, text string) (listenAddress, error) {
	if !strings.Contains(text, ":") {
		text = "localhost:" + text
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return listenAddress{}, fmt.Errorf("--listen %s: must be host:port, such as localhost:8080", text)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return listenAddress{}, fmt.Errorf("--listen %s: the port must be a number from 0 to 65535", text)
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.FormatUint(number, 10)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return listenAddress{}, fmt.Errorf("port %d is taken: stop what listens there, or choose another with --listen localhost:%d", number, number+1)
	}
	if err != nil {
		return listenAddress{}, fmt.Errorf("--listen %s: %w", text, err)
	}
	a := listenAddress{Host: host, Port: listener.Addr().(*net.TCPAddr).Port}
	a.Origin = origin(host, a.Port)
	return a, listener.Close()
}

// CheckListen says why the gateway could not listen on an address; nil: it could.
func CheckListen(ctx context.Context, text string) error {
	_, err := parseListen(ctx, text)
	return err
}

func origin(host string, port int) string {
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "localhost"
	}
	if port == 80 {
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return "http://" + host
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(port))
}
