package crowd

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// kept is how many failures of a phase are kept whole, and few how many that asked to come back.
const (
	kept = 20
	few  = 3
)

// Tally counts what people asked for and how it went, by phase. It is safe for concurrent use.
type Tally struct {
	mu     sync.Mutex
	phase  string
	order  []string
	phases map[string]*Phase
}

// Phase is what people saw while one thing happened.
type Phase struct {
	OK       map[string]int // by what was asked for
	Later    int            // 503 with Retry-After, which says: not now
	Told     []string       // the first of these
	Resumed  int            // streams that ended and were opened again
	Failures []string       // the first of the others
	Failed   int
	Slowest  time.Duration
	began    time.Time
	Took     time.Duration
}

// NewTally makes an empty one.
func NewTally() *Tally { return &Tally{phases: map[string]*Phase{}} }

// Begin starts a phase: what is counted from now on is counted there.
func (t *Tally) Begin(phase string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.phases[t.phase]; p != nil {
		p.Took += time.Since(p.began)
	}
	if t.phases[phase] == nil {
		t.phases[phase] = &Phase{OK: map[string]int{}}
		t.order = append(t.order, phase)
	}
	t.phase, t.phases[phase].began = phase, time.Now()
}

// In is the phase so far.
func (t *Tally) In(phase string) Phase {
	t.mu.Lock()
	defer t.mu.Unlock()
	return *t.phases[phase]
}

// Count is how often something went well, in all phases.
func (t *Tally) Count(what string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for _, p := range t.phases {
		n += p.OK[what]
	}
	return n
}

func (t *Tally) ok(what string, took time.Duration) {
	t.record(func(p *Phase) { p.OK[what]++; p.Slowest = max(p.Slowest, took) })
}

func (t *Tally) later(what string, answer fmt.Stringer) {
	at := time.Now().UTC().Format("15:04:05.000")
	t.record(func(p *Phase) {
		p.Later++
		if len(p.Told) < few {
			p.Told = append(p.Told, fmt.Sprintf("%s %s: %s", at, what, answer))
		}
	})
}

func (t *Tally) resumed() { t.record(func(p *Phase) { p.Resumed++ }) }

func (t *Tally) failed(what string, err error) {
	at := time.Now().UTC().Format("15:04:05.000")
	t.record(func(p *Phase) {
		p.Failed++
		if len(p.Failures) < kept {
			p.Failures = append(p.Failures, fmt.Sprintf("%s %s: %v", at, what, err))
		}
	})
}

func (t *Tally) record(change func(*Phase)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.phases[t.phase]; p != nil {
		change(p)
	}
}

// String is a table of all phases, and the failures below it.
func (t *Tally) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	kinds := map[string]bool{}
	for _, p := range t.phases {
		for kind := range p.OK {
			kinds[kind] = true
		}
	}
	columns := slices.Sorted(maps.Keys(kinds))
	var table, failures strings.Builder
	fmt.Fprintf(&table, "%-36s %7s", "while", "took")
	for _, c := range columns {
		fmt.Fprintf(&table, " %13s", c)
	}
	fmt.Fprintf(&table, " %8s %8s %8s %9s\n", "resumed", "503", "failed", "slowest")
	for _, name := range t.order {
		p := t.phases[name]
		fmt.Fprintf(&table, "%-36s %6.0fs", name, p.Took.Seconds())
		for _, c := range columns {
			fmt.Fprintf(&table, " %13d", p.OK[c])
		}
		fmt.Fprintf(&table, " %8d %8d %8d %8.2fs\n", p.Resumed, p.Later, p.Failed, p.Slowest.Seconds())
		for _, f := range append(p.Told, p.Failures...) {
			fmt.Fprintf(&failures, "%s: %s\n", name, f)
		}
	}
	return table.String() + failures.String()
}
