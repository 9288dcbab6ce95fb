package client

import (
	"time"

	"github.com/stretchr/testify/require"
)

// Within is how long something may take that another service does about an event, on a slow machine.
const Within = 30 * time.Second

const tick = 20 * time.Millisecond

// Eventually asks again and again until ok, in the test's own goroutine, so that ok may fail the test.
func (c *Client) Eventually(what string, ok func() bool) {
	c.t.Helper()
	deadline := time.NewTimer(Within)
	defer deadline.Stop()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			require.Fail(c.t, "waited in vain", "%s: not within %v", what, Within)
		case <-ticker.C:
		}
	}
}
