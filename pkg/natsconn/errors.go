package natsconn

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/atrium-mesh/atrium/pkg/errs"
)

// retryAfter is what a caller is told when NATS is away.
const retryAfter = 2 * time.Second

// Err turns an error of the client into the kind that a caller understands. An error that is typed already, or that is not about the
// connection, is returned as it is.
func Err(err error) error {
	if err == nil {
		return nil
	}
	if _, typed := errors.AsType[*errs.Error](err); typed {
		return err
	}
	for _, away := range []error{
		nats.ErrDisconnected, nats.ErrConnectionClosed, nats.ErrConnectionReconnecting, nats.ErrReconnectBufExceeded, nats.ErrNoResponders,
		nats.ErrNoServers, nats.ErrStaleConnection, nats.ErrConnectionDraining,
	} {
		if errors.Is(err, away) {
			return errs.New(errs.Unavailable, "unavailable", "The service cannot do this right now; try again shortly.").
				WithRetryAfter(retryAfter).WithCause(err)
		}
	}
	if errors.Is(err, nats.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) {
		return errs.New(errs.Timeout, "timeout", "It took too long.").WithCause(err)
	}
	return err
}
