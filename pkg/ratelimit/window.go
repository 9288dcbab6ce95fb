package ratelimit

import "time"

// window is the log of what was allowed in the last period, oldest first. The script for Redis does the same.
type window []entry

// entry is how many leave the window at an instant, in milliseconds since 1970.
type entry struct {
	leaves int64
	count  int
}

// take counts one at now unless the limit is reached.
func (w *window) take(now int64, l Limit) Decision {
	w.forget(now)
	used := 0
	for _, e := range *w {
		used += e.count
	}
	if used >= l.Count {
		return Decision{Limit: l.Count, ResetAfter: millis(w.newest() - now), RetryAfter: millis((*w)[0].leaves - now)}
	}
	w.add(leavesAt(now, l))
	return Decision{Allowed: true, Limit: l.Count, Remaining: l.Count - used - 1, ResetAfter: millis(w.newest() - now)}
}

func (w *window) forget(now int64) {
	gone := 0
	for gone < len(*w) && (*w)[gone].leaves <= now {
		gone++
	}
	if gone > 0 {
		*w = append((*w)[:0], (*w)[gone:]...)
	}
}

// add counts one that leaves then. A clock that went back adds to the newest entry, which keeps the order and refuses rather than allows.
func (w *window) add(leaves int64) {
	if last := len(*w) - 1; last >= 0 && (*w)[last].leaves >= leaves {
		(*w)[last].count++
		return
	}
	*w = append(*w, entry{leaves: leaves, count: 1})
}

func (w *window) newest() int64 {
	if len(*w) == 0 {
		return 0
	}
	return (*w)[len(*w)-1].leaves
}

// leavesAt is a period after the end of now's slot.
func leavesAt(now int64, l Limit) int64 {
	slot := l.slotMillis()
	return (now+slot-1)/slot*slot + l.periodMillis()
}

func millis(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
