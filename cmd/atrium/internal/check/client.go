package check

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/client"
)

// caller calls one origin, and waits while that says so.
type caller struct {
	client.Client
	say func(string)
}

// call sends in as JSON and reads the answer into out, when they are not nil. It tries again as long as ctx allows when it is told to, and when
// nobody took the connection, so that nothing is done twice.
func (c *caller) call(ctx context.Context, method, path string, in, out any) error {
	said := ""
	for {
		pause, err := c.Once(ctx, client.Request{Method: method, Path: path, Body: in}, out)
		if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Op == "dial" {
			pause = time.Second
		}
		if err == nil || pause == 0 {
			return err
		}
		if text := fmt.Sprintf("waiting: %s %s: %s", method, c.Origin, cause(err)); text != said {
			said = text
			c.say(text)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

// cause is an error without the request that it repeats.
func cause(err error) string {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err.Error()
	}
	return err.Error()
}
