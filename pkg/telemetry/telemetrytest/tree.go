package telemetrytest

import (
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// Tree is one trace. A complete one has one root; a span whose parent was not recorded is a root as well.
type Tree struct {
	TraceID trace.TraceID
	Roots   []*Node
}

// Node is a span and the spans below it, in the order in which they began.
type Node struct {
	Service  string
	Name     string
	Span     tracetest.SpanStub
	Children []*Node
}

// Tree arranges what has been recorded of a trace.
func (r *Recorder) Tree(id trace.TraceID) *Tree {
	nodes := make(map[trace.SpanID]*Node)
	var ordered []*Node
	for _, span := range r.Spans() {
		if span.SpanContext.TraceID() == id {
			node := &Node{Service: serviceOf(span), Name: span.Name, Span: span}
			nodes[span.SpanContext.SpanID()] = node
			ordered = append(ordered, node)
		}
	}
	slices.SortStableFunc(ordered, func(a, b *Node) int { return a.Span.StartTime.Compare(b.Span.StartTime) })
	tree := &Tree{TraceID: id}
	for _, node := range ordered {
		if parent, ok := nodes[node.Span.Parent.SpanID()]; ok {
			parent.Children = append(parent.Children, node)
			continue
		}
		tree.Roots = append(tree.Roots, node)
	}
	return tree
}

func serviceOf(span tracetest.SpanStub) string {
	for _, attr := range span.Resource.Attributes() {
		if attr.Key == "service.name" {
			return attr.Value.AsString()
		}
	}
	return ""
}

// Has says whether spans with these names lie on one way down the tree, in this order, others between them
// or not. A name is "service: span name"; both halves may end in "*".
func (t *Tree) Has(path ...string) bool { return has(t.Roots, path) }

// Find returns the first span of that name, depth first, or nil. Names are as for Has.
func (t *Tree) Find(name string) *Node { return find(t.Roots, name) }

func has(nodes []*Node, path []string) bool {
	if len(path) == 0 {
		return true
	}
	for _, node := range nodes {
		rest := path
		if node.matches(path[0]) {
			rest = path[1:]
		}
		if len(rest) == 0 || has(node.Children, rest) {
			return true
		}
	}
	return false
}

func find(nodes []*Node, name string) *Node {
	for _, node := range nodes {
		if node.matches(name) {
			return node
		}
		if below := find(node.Children, name); below != nil {
			return below
		}
	}
	return nil
}

func (n *Node) matches(pattern string) bool {
	service, name, ok := strings.Cut(pattern, ": ")
	if !ok {
		return matches(n.Name, pattern)
	}
	return matches(n.Service, service) && matches(n.Name, name)
}

func matches(value, pattern string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(value, prefix)
	}
	return value == pattern
}

// String draws the tree, one span a line.
func (t *Tree) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "trace %s\n", t.TraceID)
	for _, root := range t.Roots {
		root.write(&b, 1)
	}
	return b.String()
}

func (n *Node) write(b *strings.Builder, depth int) {
	fmt.Fprintf(b, "%s%s: %s [%s]", strings.Repeat("  ", depth), n.Service, n.Name, n.Span.SpanKind)
	if n.Span.Status.Code == codes.Error {
		fmt.Fprintf(b, " error: %s", n.Span.Status.Description)
	}
	b.WriteByte('\n')
	for _, child := range n.Children {
		child.write(b, depth+1)
	}
}
