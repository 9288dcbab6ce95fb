package sessions

import (
	"time"

	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

// verdict is what to do with a refresh token that is presented.
type verdict int

const (
	refused verdict = iota // its session has ended
	rotates                // it was not used yet: it gets a successor
	repeats                // its successor may never have arrived: it is given again
	stolen                 // two hold the family: the session must end
)

// presented is a refresh token that somebody holds, and what is stored of it. The caller holds the session, so that none of it changes.
type presented struct {
	account   identity.Account
	session   identity.Session
	token     identity.RefreshToken
	successor *identity.RefreshToken // nil: there is none, or not any more
}

// judge decides on a refresh token. See the diagram of the package.
//
// A successor that was used proves that its answer arrived. Whoever still presents the parent then is another holder, however quick.
// A successor that nobody used may have been lost on its way, or be in another tab's hands: until the grace is over its parent's holder
// gets it again. UsedAt may be of another replica's clock; the grace is much longer than clocks may differ.
func (c Config) judge(p presented, now time.Time) verdict {
	switch {
	case !p.account.Active() || !p.session.Open(now) || !now.Before(p.session.CreatedAt.Add(c.MaxAge)):
		return refused
	case p.token.UsedAt == nil && !now.Before(p.token.ExpiresAt):
		return refused
	case p.token.UsedAt == nil:
		return rotates
	case p.successor == nil || p.successor.UsedAt != nil:
		return stolen
	case now.Sub(*p.token.UsedAt) <= c.Grace:
		return repeats
	default:
		return stolen
	}
}

// until is the instant at which a session ends that is used now: until it was idle for too long, but never longer than its absolute lifetime
// (ASVS 5.0, 7.3.1 and 7.3.2).
func (c Config) until(created, now time.Time) time.Time {
	return c.atMost(created, now.Add(c.RefreshTTL))
}

// atMost is at, or the end of the absolute lifetime when that is earlier.
func (c Config) atMost(created, at time.Time) time.Time {
	if absolute := created.Add(c.MaxAge); absolute.Before(at) {
		return absolute
	}
	return at
}
