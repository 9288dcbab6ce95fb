package health

import (
	"context"
	"time"

	"github.com/atrium-mesh/atrium/pkg/lifecycle"
)

// Draining is the component that begins a shutdown: added last, it stops first. It makes the process not ready,
// calls announce (nil: nobody) and waits for delay, the time that load balancers need to notice, before anything else stops.
func (c *Checks) Draining(delay time.Duration, announce func()) lifecycle.Component {
	return lifecycle.Func(nil, func(ctx context.Context) error {
		c.Drain()
		if announce != nil {
			announce()
		}
		if delay <= 0 {
			return nil
		}
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		return nil
	})
}
