package mesh

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
)

// Ports below those that the system gives to outgoing connections (from 32768 on Linux): no connection can take the port of a
// service that was killed before it is started again.
const (
	lowestPort  = 15000
	highestPort = 31000
)

// given are the ports that meshes of this process have, so that none is given twice before somebody listens on it.
var given sync.Map

// freePort is a port of 127.0.0.1 that nobody listens on.
func freePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := lowestPort + rand.N(highestPort-lowestPort)
		if _, taken := given.LoadOrStore(port, true); taken {
			continue
		}
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", loopback(port))
		if err != nil {
			continue
		}
		_ = listener.Close() // it was only asked whether it is free
		return port
	}
	t.Fatal("mesh: no free port")
	return 0
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
