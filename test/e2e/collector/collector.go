// Package collector owns an OTLP receiver (http/protobuf) of one test: what processes export to it can be looked at as trees of spans.
package collector

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Span is one span of a process.
type Span struct {
	TraceID, ID, Parent string // hexadecimal; Parent is "" at the root
	Service, Name       string
	Kind                string // server, client, producer, consumer, internal
	Attributes          map[string]string
	Links               []string // the traces that it is linked to
	Start, End          time.Time
	Failed              bool
}

// Collector keeps every span that it receives.
type Collector struct {
	URL string

	mu    sync.Mutex
	spans map[string][]Span // by trace
}

// Start starts a receiver that ends with the test.
func Start(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{spans: map[string][]Span{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/traces", c.receive)
	mux.HandleFunc("POST /v1/metrics", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

func (c *Collector) receive(w http.ResponseWriter, r *http.Request) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = unzipped
	}
	raw, err := io.ReadAll(body)
	request := new(collectortrace.ExportTraceServiceRequest)
	if err == nil {
		err = proto.Unmarshal(raw, request)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.keep(request)
	answer, err := proto.Marshal(new(collectortrace.ExportTraceServiceResponse))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(answer)
}

func (c *Collector) keep(request *collectortrace.ExportTraceServiceRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range request.GetResourceSpans() {
		service := attributes(resource.GetResource().GetAttributes())["service.name"]
		for _, scope := range resource.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				span := Span{
					TraceID: hex.EncodeToString(s.GetTraceId()), ID: hex.EncodeToString(s.GetSpanId()), Parent: hex.EncodeToString(s.GetParentSpanId()),
					Service: service, Name: s.GetName(), Kind: kind(s.GetKind()), Attributes: attributes(s.GetAttributes()),
					Links: links(s.GetLinks()), Start: time.Unix(0, int64(s.GetStartTimeUnixNano())), End: time.Unix(0, int64(s.GetEndTimeUnixNano())),
					Failed: s.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR,
				}
				c.spans[span.TraceID] = append(c.spans[span.TraceID], span)
			}
		}
	}
}

func links(all []*tracepb.Span_Link) []string {
	var traces []string
	for _, l := range all {
		traces = append(traces, hex.EncodeToString(l.GetTraceId()))
	}
	return traces
}

func kind(k tracepb.Span_SpanKind) string {
	return strings.ToLower(strings.TrimPrefix(k.String(), "SPAN_KIND_"))
}

func attributes(pairs []*commonpb.KeyValue) map[string]string {
	all := map[string]string{}
	for _, pair := range pairs {
		value := pair.GetValue()
		if text, ok := value.GetValue().(*commonpb.AnyValue_StringValue); ok {
			all[pair.GetKey()] = text.StringValue
			continue
		}
		all[pair.GetKey()] = value.String()
	}
	return all
}

// Trace returns the spans of a trace that have arrived so far, in the order in which they began.
func (c *Collector) Trace(id string) Trace {
	c.mu.Lock()
	defer c.mu.Unlock()
	spans := slices.Clone(c.spans[id])
	slices.SortFunc(spans, func(a, b Span) int { return a.Start.Compare(b.Start) })
	return spans
}

// Linked is the id of the trace that is linked to another one; "" while there is none.
func (c *Collector) Linked(to string) string {
	for _, s := range c.All() {
		if slices.Contains(s.Links, to) {
			return s.TraceID
		}
	}
	return ""
}

// All returns every span of every trace.
func (c *Collector) All() Trace {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all Trace
	for _, spans := range c.spans {
		all = append(all, spans...)
	}
	return all
}
