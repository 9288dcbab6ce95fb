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
	repeats                // it was used a moment ago: the successor is given again
	stolen                 // it was used before: the session must end
)

// judge decides on a refresh token.
func judge(a identity.Account, s identity.Session, t identity.RefreshToken, now time.Time, grace time.Duration) verdict {
	switch {
	case !a.Active() || !s.Open(now):
		return refused
	case t.UsedAt == nil && !now.Before(t.ExpiresAt):
		return refused
	case t.UsedAt == nil:
		return rotates
	case t.ChildID != nil && now.Sub(*t.UsedAt) <= grace:
		return repeats
	default:
		return stolen
	}
}
