package ratelimit

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	defaultMaxKeys = 100_000
	sweptAtOnce    = 2
)

// Memory counts in the process. Its memory is that of the keys seen in the last period, at most MaxKeys. Make one with [New].
type Memory struct {
	limit   Limit
	clock   func() time.Time
	metrics metrics

	mu   sync.Mutex
	keys *simplelru.LRU[digest, *window] // the key seen last is the newest
}

func newMemory(c Config) (*Memory, error) {
	keys, err := simplelru.NewLRU[digest, *window](cmp.Or(c.MaxKeys, defaultMaxKeys), nil)
	if err != nil {
		return nil, fmt.Errorf("rate limit %s: %w", c.Name, err)
	}
	return &Memory{limit: c.Limit, clock: c.Clock, metrics: newMetrics(c.Meter, c.Name), keys: keys}, nil
}

// Allow counts one for key.
func (m *Memory) Allow(ctx context.Context, key string) (Decision, error) {
	d := m.take(digestOf(key))
	m.metrics.count(ctx, inMemory, d)
	return d, nil
}

func (m *Memory) take(key digest) Decision {
	now := m.clock().UnixMilli()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweep(now)
	w, ok := m.keys.Get(key)
	if !ok {
		w = &window{}
		m.keys.Add(key, w)
	}
	return w.take(now, m.limit)
}

// sweep forgets keys whose window is empty, starting with the one not seen for longest: twice as many as a call can add.
func (m *Memory) sweep(now int64) {
	for range sweptAtOnce {
		_, oldest, ok := m.keys.GetOldest()
		if !ok || oldest.newest() > now {
			return
		}
		m.keys.RemoveOldest()
	}
}
