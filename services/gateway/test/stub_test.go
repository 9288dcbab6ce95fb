package test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	metricnoop "go.opentelemetry.io/otel/metric/noop"

	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/pkg/token/tokentest"
)

// headerOperation says in a stub's answer which operation its router found.
const headerOperation = "Test-Operation"

// stub is a real HTTP server that stands for a service. Unless a test scripts it, it serves the service's operations with the kit's own
// router and policies, and answers 200.
type stub struct {
	name       string
	url        string
	server     *httptest.Server
	operations http.Handler

	mu     sync.Mutex
	script http.HandlerFunc
	seen   []seen
}

// seen is a request as it reached a service.
type seen struct {
	Method, URI, Host string
	Header            http.Header
	Body              string
	Length            int64
	TransferEncoding  []string
}

func newStub(t testing.TB, name string, operations []op.Declared, issuer *tokentest.Issuer) *stub {
	t.Helper()
	s := &stub{name: name, operations: router(name, operations, issuer.VerifierOf(name, nil))}
	s.server = httptest.NewServer(http.HandlerFunc(s.serve))
	s.url = s.server.URL
	t.Cleanup(s.server.Close)
	return s
}

// router serves the paths and policies of operations with empty answers.
func router(name string, operations []op.Declared, verifier *token.Verifier) http.Handler {
	tel := telemetry.Nop()
	server := op.NewServer(op.Config{
		Service: name, Logger: slog.New(slog.DiscardHandler), Tracer: tel.Tracer, Meter: metricnoop.NewMeterProvider(),
		Propagator: tel.Propagator, Verify: verifier.Verify, VerifyService: verifier.VerifyService,
	})
	for _, declared := range operations {
		m := declared.Meta()
		if m.Path == "" {
			continue
		}
		op.HandleRaw(server, op.Op[struct{}, struct{}]{
			Operation: huma.Operation{OperationID: m.ID, Method: m.Method, Path: m.Path, Summary: m.Summary}, Allow: m.Allow, Stream: m.Stream,
		}, func(w http.ResponseWriter, _ *http.Request, _ *struct{}) error {
			w.Header().Set(headerOperation, m.ID)
			w.Header().Set("Content-Type", "application/json")
			_, err := io.WriteString(w, `{"ok":true}`)
			return err
		})
	}
	return server.HTTP()
}

func (s *stub) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.mu.Lock()
	s.seen = append(s.seen, seen{
		Method: r.Method, URI: r.RequestURI, Host: r.Host, Header: r.Header.Clone(), Body: string(body), Length: r.ContentLength,
		TransferEncoding: r.TransferEncoding,
	})
	script := s.script
	s.mu.Unlock()
	if script != nil {
		script(w, r)
		return
	}
	s.operations.ServeHTTP(w, r)
}

// answer makes the stub do something else from now on; nil: what it does by itself.
func (s *stub) answer(script http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = script
}

// requests are those that reached it since the last call.
func (s *stub) requests() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.seen
	s.seen = nil
	return out
}

// with answers every request with a status and a header.
func with(status int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Add(header[i], header[i+1])
		}
		w.WriteHeader(status)
	}
}
