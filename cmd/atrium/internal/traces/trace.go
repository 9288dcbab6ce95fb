package traces

import (
	"slices"
	"time"
)

// Trace is the spans that share a trace id.
type Trace struct {
	ID      string `json:"id"`
	Spans   []Span `json:"spans"`
	Dropped int    `json:"dropped,omitempty"` // spans beyond MaxSpansOfATrace
	request bool
}

// Summary is one line in the list of traces.
type Summary struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"` // of the root span
	Services   []string  `json:"services"`
	Start      time.Time `json:"start"`
	DurationMS float64   `json:"duration_ms"`
	Spans      int       `json:"spans"`
	Errors     int       `json:"errors"`
}

// Duration is the time from the first start to the last end.
func (s Summary) Duration() time.Duration {
	return time.Duration(s.DurationMS * float64(time.Millisecond))
}

func (t *Trace) summary() Summary {
	start, end := t.bounds()
	s := Summary{
		ID: t.ID, Name: t.root().Name, Start: start, Spans: len(t.Spans) + t.Dropped,
		DurationMS: float64(end.Sub(start)) / float64(time.Millisecond),
	}
	for _, span := range t.Spans {
		if !slices.Contains(s.Services, span.Service) {
			s.Services = append(s.Services, span.Service)
		}
		if span.Failed {
			s.Errors++
		}
	}
	slices.Sort(s.Services)
	return s
}

func (t *Trace) bounds() (start, end time.Time) {
	for i, span := range t.Spans {
		if i == 0 || span.Start.Before(start) {
			start = span.Start
		}
		if i == 0 || span.End.After(end) {
			end = span.End
		}
	}
	return start, end
}

// root is the first span that has no parent here: spans arrive from the leaves up, and the parent may be elsewhere.
func (t *Trace) root() Span {
	rows := t.tree()
	if len(rows) == 0 {
		return Span{}
	}
	return rows[0].Span
}

// node is a span at its place in the tree.
type node struct {
	Span
	Depth int
}

// tree returns the spans in the order of a waterfall: each followed by its children, siblings by their start.
func (t *Trace) tree() []node {
	spans := slices.Clone(t.Spans)
	slices.SortStableFunc(spans, func(a, b Span) int { return a.Start.Compare(b.Start) })
	known := make(map[string]bool, len(spans))
	for _, s := range spans {
		known[s.ID] = true
	}
	children := make(map[string][]Span, len(spans))
	for _, s := range spans {
		parent := s.ParentID
		if !known[parent] || parent == s.ID {
			parent = ""
		}
		children[parent] = append(children[parent], s)
	}
	rows := make([]node, 0, len(spans))
	var walk func(parent string, depth int)
	walk = func(parent string, depth int) {
		for _, s := range children[parent] {
			rows = append(rows, node{Span: s, Depth: depth})
			walk(s.ID, depth+1)
		}
	}
	walk("", 0)
	return rows
}
