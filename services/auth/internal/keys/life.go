package keys

import (
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Life is a key without its secret: which it is, and when it does what.
type Life struct {
	ID          string // RFC 7638 thumbprint
	Algorithm   jose.SignatureAlgorithm
	CreatedAt   time.Time
	ActivatesAt time.Time  // signs from then on
	RetiresAt   *time.Time // signs no longer; nil until it has a successor
	RemovesAt   *time.Time // is published no longer
}

// published reports whether the key is in the set at an instant.
func (l Life) published(now time.Time) bool { return l.RemovesAt == nil || now.Before(*l.RemovesAt) }

// signer is the key of an algorithm that signs at an instant: of those that are active and published the one that became so last.
// A replica that has not read the successor yet goes on with a key that is retired, which is published long enough for that.
func signer(lives []Life, algorithm jose.SignatureAlgorithm, now time.Time) (Life, bool) {
	var best Life
	for _, l := range lives {
		if l.Algorithm != algorithm || l.ActivatesAt.After(now) || !l.published(now) {
			continue
		}
		if best.ID == "" || l.ActivatesAt.After(best.ActivatesAt) {
			best = l
		}
	}
	return best, best.ID != ""
}

// successor says of an algorithm whether a key must be made now, when it activates, and which key it retires (none for the first).
func (s schedule) successor(lives []Life, algorithm jose.SignatureAlgorithm, now time.Time) (activatesAt time.Time, retires *Life, due bool) {
	lives = slices.DeleteFunc(slices.Clone(lives), func(l Life) bool { return l.Algorithm != algorithm || !l.published(now) })
	if len(lives) == 0 {
		return now, nil, true
	}
	last := slices.MaxFunc(lives, func(a, b Life) int { return a.ActivatesAt.Compare(b.ActivatesAt) })
	ends := last.ActivatesAt.Add(s.rotation)
	if now.Before(ends.Add(-s.publishBefore)) {
		return time.Time{}, nil, false
	}
	if earliest := now.Add(s.publishBefore); ends.Before(earliest) {
		ends = earliest // nothing ran when it was due
	}
	return ends, &last, true
}

// advance is [schedule.successor] for somebody who does not want to wait: a key is made unless one that has yet to sign is there already.
func (s schedule) advance(lives []Life, algorithm jose.SignatureAlgorithm, now time.Time) (activatesAt time.Time, retires *Life, due bool) {
	lives = slices.DeleteFunc(slices.Clone(lives), func(l Life) bool { return l.Algorithm != algorithm || !l.published(now) })
	if len(lives) == 0 {
		return now, nil, true
	}
	last := slices.MaxFunc(lives, func(a, b Life) int { return a.ActivatesAt.Compare(b.ActivatesAt) })
	if last.ActivatesAt.After(now) {
		return time.Time{}, nil, false
	}
	return now.Add(s.publishBefore), &last, true
}

// schedule is the durations of a key's life.
type schedule struct {
	rotation, publishBefore time.Duration
	tokenLifetime           time.Duration
}

// removesAt is when the last token of a key that retires has expired everywhere. The slack is for replicas that sign with it for a
// moment longer, since they have not read its successor, and for clocks that differ.
func (s schedule) removesAt(retiresAt time.Time) time.Time {
	return retiresAt.Add(s.tokenLifetime + removalSlack)
}

const removalSlack = 15 * time.Minute
