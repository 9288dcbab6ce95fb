package traces

import (
	"fmt"
	"strings"
	"time"
)

// maxHint is the length of a query's beginning.
const maxHint = 60

// indent is the width in pixels of one level of the tree.
const indent = 15

type waterfall struct {
	Summary
	Dropped int
	Ticks   []string
	Rows    []row
}

// row is one span as the page draws it. Places are percentages of the trace's duration.
type row struct {
	Span
	Guides []int // where the vertical lines of the tree are, in pixels
	Indent int
	Left   string
	Width  string
	TextAt string
	Before bool // the text stands left of the bar, which ends near the right edge
	Inside bool // the bar fills the row: the text stands in it
	Offset string
	Took   string
}

func waterfallOf(t *Trace) waterfall {
	start, end := t.bounds()
	total := max(end.Sub(start), time.Microsecond)
	w := waterfall{Summary: t.summary(), Dropped: t.Dropped}
	for i := range 5 {
		w.Ticks = append(w.Ticks, Took(total*time.Duration(i)/4))
	}
	for _, n := range t.tree() {
		w.Rows = append(w.Rows, rowOf(n, start, total))
	}
	return w
}

func rowOf(n node, start time.Time, total time.Duration) row {
	left := float64(n.Start.Sub(start)) / float64(total)
	width := max(float64(n.Duration())/float64(total), 0.002)
	r := row{
		Span: n.Span, Indent: n.Depth * indent, Left: percent(left), Width: percent(width),
		Offset: Took(n.Start.Sub(start)), Took: Took(n.Duration()),
	}
	for level := range n.Depth {
		r.Guides = append(r.Guides, level*indent+indent/2)
	}
	switch {
	case left+width < 0.86:
		r.TextAt = percent(left + width)
	case left > 0.14:
		r.TextAt, r.Before = percent(left), true
	default:
		r.TextAt, r.Inside = percent(left), true
	}
	return r
}

// Short is the kind of a span as the page says it; nothing for the common, internal kind.
func (r row) Short() string {
	if r.Kind == "internal" {
		return ""
	}
	return r.Kind
}

// Hint says more than the name of a database span does: the query's own name (sqlc writes it first), or its beginning.
func (r row) Hint() string {
	query := strings.Join(strings.Fields(r.Attribute("db.query.text")), " ")
	if named, ok := strings.CutPrefix(query, "-- name: "); ok {
		query, _, _ = strings.Cut(named, " ")
	}
	switch {
	case r.Attribute("pgx.prepare_stmt.name") != "":
		return "prepare"
	case strings.EqualFold(query, r.Name):
		return ""
	case len(query) > maxHint:
		return strings.ToValidUTF8(query[:maxHint], "") + "…"
	default:
		return query
	}
}

// At is when an event happened, from the start of its span.
func (r row) At(t time.Time) string { return fmt.Sprintf("+%s", Took(t.Sub(r.Start))) }
