package store

import (
	"sync"
	"time"

	"github.com/atrium-mesh/atrium/services/users/internal/users"
)

const (
	largeTotal = 50_000          // counting so many takes long enough to be shared
	totalFor   = 5 * time.Second // how old a large total may be
	mostTotals = 1000
)

// totals remembers large counts for a moment: many people look at the first page of the same long list, and counting a million rows
// for each of them would be most of the work. Small lists are counted each time.
type totals struct {
	mu sync.Mutex
	by map[users.Filter]total
}

type total struct {
	n  int64
	at time.Time
}

// get is a large total that is young enough.
func (t *totals) get(f users.Filter, now time.Time) (int64, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	have, ok := t.by[f]
	return have.n, ok && now.Sub(have.at) < totalFor
}

// put remembers a total, if it is large.
func (t *totals) put(f users.Filter, n int64, now time.Time) {
	if n < largeTotal {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.by == nil || len(t.by) >= mostTotals {
		t.by = map[users.Filter]total{}
	}
	t.by[f] = total{n: n, at: now}
}
