package deliveries

import (
	"math/rand/v2"
	"time"
)

// Retry says when what was refused for a time is tried again: after 5 s, then twice as long each time, up to an hour, each give or take a
// fifth. After MaxAttempts, about a day, it is given up: a mail server may be away for a night.
type Retry struct {
	First       time.Duration
	Longest     time.Duration
	MaxAttempts int32
}

// DefaultRetry is what holds unless configured otherwise.
func DefaultRetry() Retry { return Retry{First: 5 * time.Second, Longest: time.Hour, MaxAttempts: 32} }

// After is how long to wait after this many attempts; false when that was the last.
func (r Retry) After(attempts int32) (time.Duration, bool) {
	if attempts >= r.MaxAttempts {
		return 0, false
	}
	wait := r.First
	for range attempts - 1 {
		if wait *= 2; wait >= r.Longest {
			wait = r.Longest
			break
		}
	}
	return wait - wait/5 + rand.N(wait/5*2+1), true //nolint:gosec // jitter
}
