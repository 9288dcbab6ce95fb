package worsttest

import (
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// spent is what a process has used so far: CPU, and memory that it asked for, in pieces and in bytes.
type spent struct {
	cpu     time.Duration
	mallocs uint64
	bytes   uint64
}

func measure(t testing.TB) spent {
	t.Helper()
	var usage syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return spent{
		cpu:     time.Duration(usage.Utime.Nano() + usage.Stime.Nano()),
		mallocs: memory.Mallocs,
		bytes:   memory.TotalAlloc,
	}
}

// cost is what one call of fn takes, the best of as many as rounds: whatever else runs only adds.
func cost(t testing.TB, rounds int, fn func()) spent {
	t.Helper()
	best := spent{cpu: time.Hour, mallocs: 1 << 62, bytes: 1 << 62}
	for range rounds {
		before := measure(t)
		fn()
		after := measure(t)
		best.cpu = min(best.cpu, after.cpu-before.cpu)
		best.mallocs = min(best.mallocs, after.mallocs-before.mallocs)
		best.bytes = min(best.bytes, after.bytes-before.bytes)
	}
	return best
}

const (
	mostCPU     = 5 * time.Millisecond // besides the password's hash
	mostMallocs = 16_000               // one for every four bytes of the longest header
	mostBytes   = 3 << 19              // some twenty copies of it; besides the password's hash
)

// Bounded sends each request and holds what it costs to a bound. Work is counted in memory, which is the same on every machine; the CPU is
// [Measured]'s to tell, and held here to a bound that only a missing limit breaks. Hash is what one of a password does, which is not
// counted; nil: none is. Send is the status of the answer.
func Bounded(t *testing.T, all []Request, hash func(), send func(Request) int) {
	t.Helper()
	require.NotEmpty(t, all)
	most := uint64(mostBytes)
	if hash != nil {
		most += cost(t, 3, hash).bytes
	}
	for _, r := range all {
		status := 0
		got := cost(t, 3, func() { status = send(r) })
		switch {
		case status >= http.StatusInternalServerError, status == http.StatusRequestEntityTooLarge:
			t.Errorf("%s, %s: %d", r.Operation, r.Shape, status)
		case status == http.StatusTooManyRequests:
			t.Errorf("%s, %s: what is refused for its number shows no cost", r.Operation, r.Shape)
		case got.mallocs > mostMallocs, got.bytes > most, got.cpu > 50*mostCPU:
			t.Errorf("%s, %s: %d pieces of memory, %d bytes, %s of CPU", r.Operation, r.Shape, got.mallocs, got.bytes, got.cpu)
		}
	}
}

// Measured tells what each request costs.
func Measured(b *testing.B, all []Request, hash func(), send func(Request) int) {
	b.Helper()
	var one spent
	if hash != nil {
		one = cost(b, 20, hash)
	}
	for _, r := range all {
		b.Run(r.Operation+"/"+strings.ReplaceAll(r.Shape, " ", "_"), func(b *testing.B) {
			status, best := 0, spent{}
			for b.Loop() {
				best = cost(b, 20, func() { status = send(r) })
			}
			hashed := 0.0
			if hash != nil && best.bytes > one.bytes { // only what asked for that much can have hashed
				hashed = 1
				best.cpu, best.bytes = best.cpu-one.cpu, best.bytes-one.bytes
			}
			b.ReportMetric(float64(best.cpu.Microseconds())/1000, "cpu-ms")
			b.ReportMetric(float64(best.mallocs), "mallocs")
			b.ReportMetric(float64(best.bytes), "bytes")
			b.ReportMetric(float64(status), "status")
			b.ReportMetric(hashed, "hashes")
		})
	}
}
