package pg

import (
	"context"
	"net"
	"time"
)

// unacknowledged is how long what was sent to the server may stay unacknowledged before the connection is given up. A server whose machine
// or pod is gone says no goodbye: without this a statement on its connection waits for the whole time that its operation has.
const unacknowledged = 3 * time.Second

// dial is pgconn's. Keep-alives are quick, since a statement that was acknowledged before its server went has nothing unacknowledged: the
// answer to a keep-alive is then what is missing.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := &net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: time.Second, Interval: time.Second, Count: 3},
		Control:         giveUpOnSilence,
	}
	return d.DialContext(ctx, network, address)
}
