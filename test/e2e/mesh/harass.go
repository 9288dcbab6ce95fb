package mesh

import (
	"context"
	"math/rand/v2"
	"time"
)

// How the services are treated by Harass.
const (
	longestAbsence = 500 * time.Millisecond // between a kill and the next start of the process
	shortestPeace  = 100 * time.Millisecond // between a start and the next kill, of any process
	longestPeace   = 900 * time.Millisecond
)

// Harass kills services at random with kill -9 and starts each again after up to half a second, until ctx ends; then all of them run,
// though they may not be ready. It does not wait for a process to be ready before it kills the next one, which may be the same. It
// returns how often each was killed.
func (m *Mesh) Harass(ctx context.Context) map[string]int {
	kills := map[string]int{}
	services := m.Services()
	for i := 0; ; i++ {
		if i %= len(services); i == 0 { // everybody's turn comes, in an order of its own each time
			rand.Shuffle(len(services), func(a, b int) { services[a], services[b] = services[b], services[a] })
		}
		p := services[i]
		p.Kill()
		kills[p.Name]++
		pause(ctx, rand.N(longestAbsence))
		if err := p.start(); err != nil {
			m.t.Error(err)
		}
		if !pause(ctx, shortestPeace+rand.N(longestPeace-shortestPeace)) {
			return kills
		}
	}
}

// pause is false when ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
