package traces

import (
	"context"
	"slices"
	"strings"
	"sync"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Limits of a Store.
const (
	MaxTraces        = 200
	MaxSpans         = 5000
	MaxSpansOfATrace = 1000
)

// Store keeps the last traces in memory. It is an OpenTelemetry span exporter that several services share, and safe
// for concurrent use. When it is full it forgets the oldest trace, but first those that no request began: the polling
// that goes on in the background must not push out the sign-up that somebody wants to look at.
type Store struct {
	mu     sync.Mutex
	traces []*Trace // in order of their first span's arrival
	byID   map[string]*Trace
	spans  int
}

var _ sdktrace.SpanExporter = (*Store)(nil)

// NewStore returns an empty store.
func NewStore() *Store { return &Store{byID: map[string]*Trace{}} }

// ExportSpans takes spans that have ended. It never fails.
func (s *Store) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, span := range spans {
		s.add(spanOf(span))
	}
	return nil
}

// Shutdown does nothing: the store outlives the services that export to it.
func (s *Store) Shutdown(context.Context) error { return nil }

// Filter selects traces.
type Filter struct {
	Query string // in a span's name, service or attribute value, or a trace id; without regard to case
	All   bool   // also those that did not begin with a request
}

// List returns the summaries of the traces that match, newest first, never nil.
func (s *Store) List(f Filter) []Summary {
	s.mu.Lock()
	defer s.mu.Unlock()
	query := strings.ToLower(strings.TrimSpace(f.Query))
	found := []Summary{}
	for _, t := range s.traces {
		if (f.All || t.request) && (query == "" || slices.ContainsFunc(t.Spans, func(span Span) bool { return span.matches(query) })) {
			found = append(found, t.summary())
		}
	}
	slices.SortStableFunc(found, func(a, b Summary) int { return b.Start.Compare(a.Start) })
	return found
}

// Get returns a copy of one trace, its spans in order of their start.
func (s *Store) Get(id string) (Trace, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.byID[id]
	if !ok {
		return Trace{}, false
	}
	spans := slices.Clone(t.Spans)
	slices.SortStableFunc(spans, func(a, b Span) int { return a.Start.Compare(b.Start) })
	return Trace{ID: t.ID, Spans: spans, Dropped: t.Dropped, request: t.request}, true
}

func (s *Store) add(span Span) {
	t, ok := s.byID[span.TraceID]
	if !ok {
		t = &Trace{ID: span.TraceID}
		s.byID[t.ID] = t
		s.traces = append(s.traces, t)
	}
	t.request = t.request || span.request()
	if len(t.Spans) >= MaxSpansOfATrace {
		t.Dropped++
		return
	}
	t.Spans = append(t.Spans, span)
	s.spans++
	for len(s.traces) > MaxTraces || s.spans > MaxSpans {
		s.forgetOne()
	}
}

func (s *Store) forgetOne() {
	background := 0
	for _, t := range s.traces {
		if !t.request {
			background++
		}
	}
	oldest := 0
	if background > MaxTraces/4 {
		oldest = slices.IndexFunc(s.traces, func(t *Trace) bool { return !t.request })
	}
	gone := s.traces[oldest]
	s.traces = slices.Delete(s.traces, oldest, oldest+1)
	delete(s.byID, gone.ID)
	s.spans -= len(gone.Spans)
}
