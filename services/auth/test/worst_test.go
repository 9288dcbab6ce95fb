package test

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/password"
)

// worst is the dearest request of a shape that an operation accepts.
type worst struct {
	operation   op.Meta
	shape       string
	query       string
	contentType string
	body        string
}

const form = "application/x-www-form-urlencoded"

// worstBodies are, for every operation that anybody may call, bodies and queries that fill what they may.
func worstBodies(t testing.TB) []worst {
	t.Helper()
	doc := op.Document(huma.Info{Title: "auth"}, "", api.Operations())
	var out []worst
	for _, o := range api.Operations() {
		m := o.Meta()
		if m.Path == "" || !m.Allow.IsPublic() {
			continue
		}
		for shape, query := range queries() {
			out = append(out, worst{operation: m, shape: shape, query: query})
		}
		if m.Method != http.MethodPost || doc.Paths[m.Path] == nil || doc.Paths[m.Path].Post.RequestBody == nil {
			continue
		}
		require.LessOrEqual(t, m.MaxBody, int64(op.PublicMaxBody), m.ID)
		require.NotZero(t, m.MaxBody, m.ID)
		for contentType, media := range doc.Paths[m.Path].Post.RequestBody.Content {
			schema := media.Schema
			if schema.Ref != "" {
				schema = doc.Components.Schemas.SchemaFromRef(schema.Ref)
			}
			for shape, body := range shapes(schema, int(m.MaxBody)) {
				if contentType == form {
					body = formOf(schema, shape, int(m.MaxBody))
				}
				out = append(out, worst{operation: m, shape: shape, contentType: contentType, body: body})
			}
		}
	}
	require.NotEmpty(t, out)
	return out
}

// queries are what may stand in an address, which proxies bound to some 8 KiB.
func queries() map[string]string {
	const size = 8 << 10
	return map[string]string{
		"query of one value":    "?token=" + repeat("%C3%BC", size),
		"query of many fields":  "?" + strings.TrimSuffix(repeat("a=1&", size), "&"),
		"query of many escapes": "?" + repeat("%61", size),
	}
}

// shapes are JSON bodies of at most size bytes. Those of "longest …" are as long as each field may be, so that they pass validation where
// that is possible, and reach what is behind it.
func shapes(schema *huma.Schema, size int) map[string]string {
	each := (size - 64*len(schema.Properties) - 64) / max(1, len(schema.Properties))
	fill := func(unit string) string {
		return membersOf(schema, func(string, *huma.Schema) string { return repeat(unit, each) })
	}
	longest := func(unit string) string {
		return membersOf(schema, func(name string, s *huma.Schema) string { return longestOf(name, s, unit) })
	}
	return map[string]string{
		"ordinary":                 `{"email":"` + somebody + `@example.com","password":"` + goodPassword + `"}`, // to compare with
		"letters of two bytes":     fill("ü"),
		"ligatures of 18 letters":  fill("\ufdfa"),
		"escapes":                  fill(`\u00fc`),
		"comments of an address":   fill("("),
		"addresses":                fill("a@b.c,"),
		"encoded words":            fill("=?utf-8?q?=41?= "),
		"labels":                   fill("ü."),
		"unknown members":          "{" + strings.TrimSuffix(many(size-64), ",") + "}",
		"deep":                     `{"email":` + repeat("[", size/2-32) + repeat("]", size/2-32) + "}",
		"numbers":                  `{"email":[` + strings.TrimSuffix(repeat("1e9,", size-64), ",") + "]}",
		"longest of two bytes":     longest("ü"),
		"longest of ligatures":     longest("\ufdfa"),
		"longest of leet":          longest("4bc0"),
		"longest of other scripts": longest("собака"),
	}
}

func repeat(unit string, size int) string { return strings.Repeat(unit, max(0, size/len(unit))) }

func many(size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, `"%x":0,`, i)
	}
	return b.String()
}

func membersOf(schema *huma.Schema, value func(name string, s *huma.Schema) string) string {
	var members []string
	for name, s := range schema.Properties {
		if s.Type == huma.TypeString {
			members = append(members, fmt.Sprintf(`"%s":"%s"`, name, value(name, s)))
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

func longestOf(name string, s *huma.Schema, unit string) string {
	switch {
	case len(s.Enum) > 0:
		return fmt.Sprint(s.Enum[0])
	case name == "locale":
		return "de-DE-u-co-phonebk-x-aaaaaaaa-bbbb"
	case name == "email" || name == "username":
		return somebody + repeat(unit, 48) + "@" + repeat("üüüü.", 160) + "example"
	case name == "grant_type":
		return "password"
	case s.MaxLength != nil:
		runes := []rune(repeat(unit, *s.MaxLength*4))
		return string(runes[:min(len(runes), *s.MaxLength)])
	default:
		return repeat(unit, 256)
	}
}

// formOf is a shape as a form.
func formOf(schema *huma.Schema, shape string, size int) string {
	var fields []string
	for name, s := range schema.Properties {
		if shape == "ordinary" {
			return "grant_type=password&username=" + somebody + "%40example.com&password=nine+orange+umbrellas"
		}
		value := longestOf(name, s, "\ufdfa")
		if !strings.HasPrefix(shape, "longest") {
			value = repeat("%C3%BC", size/len(schema.Properties)-64)
		}
		fields = append(fields, name+"="+strings.ReplaceAll(value, "&", ""))
	}
	return strings.Join(fields, "&")
}

// spent is what a process has used so far: CPU, and pieces of memory that it asked for.
type spent struct {
	cpu     time.Duration
	mallocs uint64
}

func measure(t testing.TB) spent {
	t.Helper()
	var usage syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return spent{time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), memory.Mallocs}
}

// cost is what one call of fn takes, of as many as rounds. With CPU the best of the rounds counts: whatever else runs only adds.
func cost(t testing.TB, rounds int, fn func()) spent {
	t.Helper()
	best := spent{time.Hour, 1 << 62}
	for range rounds {
		before := measure(t)
		fn()
		after := measure(t)
		best.cpu = min(best.cpu, after.cpu-before.cpu)
		best.mallocs = min(best.mallocs, after.mallocs-before.mallocs)
	}
	return best
}

// somebody stands for the number of a request in the address of an account.
const somebody = "somebody"

var requests atomic.Int64

func (m *mesh) sendWorst(t testing.TB, w worst) int {
	t.Helper()
	n := requests.Add(1) // each of another address, about another person: one that is slowed down costs nothing
	body := strings.ReplaceAll(w.body, somebody, fmt.Sprintf("%0*d", len(somebody), n))
	r, err := http.NewRequestWithContext(t.Context(), w.operation.Method, m.URL+w.operation.Path+w.query, strings.NewReader(body))
	require.NoError(t, err)
	if w.contentType != "" {
		r.Header.Set("Content-Type", w.contentType)
	}
	r.Header.Set(op.HeaderClientIP, fmt.Sprintf("2001:db8:%x:%x::1", n>>16&0xffff, n&0xffff))
	answer, err := http.DefaultClient.Do(r) //nolint:forbidigo // the test's deadline is its client's
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return answer.StatusCode
}

const (
	mostCPU     = 5 * time.Millisecond // besides the password's hash
	mostMallocs = 12_000               // less than one for each byte of the largest body
)

// Whatever a stranger sends, the work for it is bounded. It is counted in pieces of memory, which are the same on every machine; the CPU is
// the benchmark's to tell, and held here to a bound that only a missing limit breaks.
//
//nolint:paralleltest // counts what the whole process does
func TestWorstBodies_cost_little_work(t *testing.T) {
	if testing.Short() {
		t.Skip("measures for a while")
	}
	m := setup(t, nil)
	for _, w := range worstBodies(t) {
		require.LessOrEqual(t, len(w.body), op.PublicMaxBody, "%s, %s", w.operation.ID, w.shape)
		status := 0
		got := cost(t, 3, func() { status = m.sendWorst(t, w) })
		require.Less(t, status, 500, "%s, %s", w.operation.ID, w.shape)
		require.NotEqual(t, http.StatusRequestEntityTooLarge, status, "%s, %s", w.operation.ID, w.shape)
		require.Less(t, got.mallocs, uint64(mostMallocs), "%s, %s", w.operation.ID, w.shape)
		require.Less(t, got.cpu, 50*mostCPU, "%s, %s", w.operation.ID, w.shape)
	}
}

// BenchmarkWorstBodies tells for each public operation what its dearest body costs, besides the hash of a password where one is made.
func BenchmarkWorstBodies(b *testing.B) {
	m := setup(b, nil)
	c := password.Default()
	c.MemoryKiB, c.Iterations = 7168, 1 // as setup has it
	hasher, err := password.NewHasher(c)
	require.NoError(b, err)
	hash := cost(b, 20, func() { _, _ = hasher.Hash(b.Context(), goodPassword) })
	for _, w := range worstBodies(b) {
		b.Run(w.operation.ID+"/"+strings.ReplaceAll(w.shape, " ", "_"), func(b *testing.B) {
			status, best := 0, spent{}
			for b.Loop() {
				best = cost(b, 20, func() { status = m.sendWorst(b, w) })
			}
			hashed := 0.0
			if best.cpu > hash.cpu && best.cpu > mostCPU { // only what went that far can have hashed
				hashed = 1
				best.cpu -= hash.cpu
			}
			b.ReportMetric(float64(best.cpu.Microseconds())/1000, "cpu-ms")
			b.ReportMetric(float64(best.mallocs), "mallocs")
			b.ReportMetric(float64(status), "status")
			b.ReportMetric(hashed, "hashes")
			b.ReportMetric(float64(hash.cpu.Microseconds())/1000, "hash-ms")
		})
	}
}
