package bench

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// report collects the tables that docs/benchmarks.md is made of.
type report struct {
	loads  []row
	costs  []cost
	single []fact
}

// cost is what a process takes when it has nothing to do.
type cost struct {
	Name  string
	RSS   int64 // bytes
	Ready time.Duration
}

// fact is one number with its unit.
type fact struct{ Name, Value string }

// write prints the report as Markdown, and puts it into BENCH_OUT when that names a file.
func (r *report) write(t testing.TB) {
	var b strings.Builder
	fmt.Fprintf(&b, "# Benchmarks\n\n`make bench` made this page, on %d cores of %s/%s with %s. The load (%d clients, %s a row) ran on the same\n"+
		"machine as the mesh it was sent to: each service a process of its own, PostgreSQL with fsync on, the default password hash.\n"+
		"Compare rows of one run; do not compare runs of different machines.\n", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(),
		clients, measured)
	b.WriteString("\n## Under load\n\n| what | requests/s | p50 | p99 |\n|---|---:|---:|---:|\n")
	for _, l := range r.loads {
		fmt.Fprintf(&b, "| %s | %.0f | %s | %s |\n", l.Name, l.PerSecond, ms(l.P50), ms(l.P99))
	}
	b.WriteString("\n## Once\n\n| what | measured |\n|---|---:|\n")
	for _, f := range r.single {
		fmt.Fprintf(&b, "| %s | %s |\n", f.Name, f.Value)
	}
	b.WriteString("\n## At rest\n\nMemory is the resident set of the process after it has been idle; ready is from exec to a good /readyz, on databases that are\n" +
		"up to date (for `atrium up`: until it says that it is ready).\n\n| process | memory | ready |\n|---|---:|---:|\n")
	for _, c := range r.costs {
		ready := "–"
		if c.Ready > 0 {
			ready = ms(c.Ready)
		}
		fmt.Fprintf(&b, "| %s | %.1f MiB | %s |\n", c.Name, float64(c.RSS)/(1<<20), ready)
	}
	fmt.Println(b.String())
	if out := os.Getenv("BENCH_OUT"); out != "" {
		if err := os.WriteFile(out, []byte(b.String()), 0o644); err != nil {
			t.Error(err)
		}
	}
}

func ms(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d >= 10*time.Millisecond:
		return fmt.Sprintf("%.0f ms", float64(d.Microseconds())/1000)
	default:
		return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000)
	}
}
