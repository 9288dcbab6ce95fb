package traces

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Span is one ended span.
type Span struct {
	TraceID    string      `json:"trace_id"`
	ID         string      `json:"span_id"`
	ParentID   string      `json:"parent_span_id,omitempty"`
	Name       string      `json:"name"`
	Kind       string      `json:"kind"`
	Service    string      `json:"service"`
	Start      time.Time   `json:"start"`
	End        time.Time   `json:"end"`
	Failed     bool        `json:"failed"`
	Message    string      `json:"message,omitempty"` // why it failed
	Attributes []Attribute `json:"attributes,omitempty"`
	Events     []Event     `json:"events,omitempty"`
	Links      []Link      `json:"links,omitempty"`
}

// Attribute is one attribute, its value as text.
type Attribute struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Event is something that happened during a span.
type Event struct {
	Name       string      `json:"name"`
	Time       time.Time   `json:"time"`
	Attributes []Attribute `json:"attributes,omitempty"`
}

// Link points to a span of another trace.
type Link struct {
	TraceID string `json:"trace_id"`
	SpanID  string `json:"span_id"`
}

// Duration is how long the span took.
func (s Span) Duration() time.Duration { return s.End.Sub(s.Start) }

// Attribute returns the value of an attribute, or "".
func (s Span) Attribute(key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value
		}
	}
	return ""
}

// noRoute is what the gateway calls the route of a request for none of the operations, such as these pages.
const noRoute = "none"

// request says that the span is a service's answer to somebody's HTTP request for an operation.
func (s Span) request() bool {
	return s.Kind == trace.SpanKindServer.String() && s.Attribute("http.request.method") != "" && s.Attribute("http.route") != noRoute
}

func (s Span) matches(query string) bool {
	if strings.Contains(strings.ToLower(s.Name+"\n"+s.Service+"\n"+s.TraceID), query) {
		return true
	}
	return slices.ContainsFunc(s.Attributes, func(a Attribute) bool {
		return strings.Contains(strings.ToLower(a.Value), query)
	})
}

func spanOf(s sdktrace.ReadOnlySpan) Span {
	span := Span{
		TraceID: s.SpanContext().TraceID().String(),
		ID:      s.SpanContext().SpanID().String(),
		Name:    s.Name(),
		Kind:    s.SpanKind().String(),
		Start:   s.StartTime(),
		End:     s.EndTime(),
		Failed:  s.Status().Code == codes.Error,
		Message: s.Status().Description,
	}
	if s.Parent().HasSpanID() {
		span.ParentID = s.Parent().SpanID().String()
	}
	for _, a := range s.Attributes() {
		span.Attributes = append(span.Attributes, Attribute{Key: string(a.Key), Value: a.Value.String()})
	}
	slices.SortFunc(span.Attributes, func(a, b Attribute) int { return cmp.Compare(a.Key, b.Key) })
	for _, e := range s.Events() {
		event := Event{Name: e.Name, Time: e.Time}
		for _, a := range e.Attributes {
			event.Attributes = append(event.Attributes, Attribute{Key: string(a.Key), Value: a.Value.String()})
		}
		span.Events = append(span.Events, event)
	}
	for _, l := range s.Links() {
		span.Links = append(span.Links, Link{TraceID: l.SpanContext.TraceID().String(), SpanID: l.SpanContext.SpanID().String()})
	}
	for _, a := range s.Resource().Attributes() {
		if a.Key == "service.name" {
			span.Service = a.Value.String()
		}
	}
	return span
}
