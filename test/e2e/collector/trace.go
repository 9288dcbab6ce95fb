package collector

import (
	"fmt"
	"strings"
	"time"
)

// Trace is spans of one trace.
type Trace []Span

// Find returns the spans of a service with a name.
func (t Trace) Find(service, name string) []Span {
	var found []Span
	for _, s := range t {
		if s.Service == service && s.Name == name {
			found = append(found, s)
		}
	}
	return found
}

// Line is the way from the root to a span, as "service kind name" of each, spans of databases left out. What has a parent that did not
// arrive begins there.
func (t Trace) Line(s Span) []string {
	byID := map[string]Span{}
	for _, one := range t {
		byID[one.ID] = one
	}
	var line []string
	for ok := true; ok; s, ok = byID[s.Parent] {
		if !s.database() {
			line = append([]string{s.Service + " " + s.Kind + " " + s.Name}, line...)
		}
	}
	return line
}

func (s Span) database() bool {
	return s.Attributes["db.system"] != "" || s.Attributes["db.system.name"] != ""
}

// String draws the tree, spans of databases as a count.
func (t Trace) String() string {
	children, known := map[string][]Span{}, map[string]bool{}
	for _, s := range t {
		known[s.ID] = true
	}
	for _, s := range t {
		parent := s.Parent
		if !known[parent] {
			parent = ""
		}
		children[parent] = append(children[parent], s)
	}
	var b strings.Builder
	var draw func(parent, indent string)
	draw = func(parent, indent string) {
		var own []Span
		queries := 0
		for _, s := range children[parent] {
			if s.database() {
				queries++
				continue
			}
			own = append(own, s)
		}
		for i, s := range own {
			branch, deeper := "├─ ", "│  "
			if i == len(own)-1 {
				branch, deeper = "└─ ", "   "
			}
			failed := ""
			if s.Failed {
				failed = "  FAILED"
			}
			fmt.Fprintf(&b, "%s%s%s  [%s, %s]  %v%s\n", indent, branch, s.Name, s.Service, s.Kind, s.End.Sub(s.Start).Round(10*time.Microsecond), failed)
			draw(s.ID, indent+deeper)
		}
		if queries > 0 {
			fmt.Fprintf(&b, "%s·  %d database spans\n", indent, queries)
		}
	}
	draw("", "")
	return b.String()
}

// Clone is a copy that can be changed.
func (t Trace) Clone() Trace { return append(Trace(nil), t...) }
