// Package consumers owns what users does when something happens elsewhere, one file an event. Each handler runs in the transaction
// that records the event as handled, so that its effect happens once.
package consumers

import (
	"time"

	"github.com/atrium-mesh/atrium/pkg/events"
)

// Handlers are all of them. Grace is the time between deleting and erasing.
func Handlers(clock func() time.Time, grace time.Duration) []events.Handler {
	return []events.Handler{
		accountRegistered(),
		accountVerified(clock),
		accountDisowned(clock),
		accountStandingChanged(grace),
		rolesChanged(clock),
		sessionStarted(),
	}
}
