package fuzzapi_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/test/fuzzapi"
)

// The contract of the servers below: one operation with members of the usual kinds.
const thingsContract = `{
  "openapi": "3.1.0",
  "paths": {"/api/v1/things": {"post": {
    "operationId": "make-thing",
    "parameters": [{"in": "query", "name": "loud", "schema": {"type": "boolean"}}],
    "requestBody": {"required": true, "content": {"application/json": {"schema": {
      "type": "object", "additionalProperties": false, "required": ["full_name"],
      "properties": {
        "full_name": {"type": "string", "minLength": 1, "maxLength": 200},
        "note": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": true},
        "data": {"type": "object", "additionalProperties": {}}
      }}}}},
    "responses": {
      "200": {"content": {"application/json": {"schema": {"type": "object"}}}},
      "400": {"$ref": "#/components/responses/Problem"}, "413": {"$ref": "#/components/responses/Problem"},
      "415": {"$ref": "#/components/responses/Problem"}, "422": {"$ref": "#/components/responses/Problem"}
    }
  }}},
  "components": {
    "responses": {"Problem": {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}},
    "schemas": {"Problem": {"type": "object", "required": ["status", "code"], "properties": {"status": {"type": "integer"}, "code": {"type": "string"}}}}
  }
}`

// TestItFindsTheLenientReader takes the strict reader out: a server that validates a tree of encoding/json and believes its struct, as
// Atrium's did, is found out, by each of the ways in which the two differ.
func TestItFindsTheLenientReader(t *testing.T) {
	t.Parallel()
	report := fuzz(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var tree map[string]any
		var thing struct {
			Name string `json:"full_name"`
		}
		body, _ := io.ReadAll(r.Body)
		name := ""
		if json.Unmarshal(body, &tree) == nil {
			for member := range tree {
				if strings.EqualFold(member, "full_name") {
					name, _ = tree[member].(string)
				}
			}
		}
		if r.Method != http.MethodPost || name == "" || json.Unmarshal(body, &thing) != nil {
			refuse(w, http.StatusUnprocessableEntity)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "{}")
	}))
	for _, spoiled := range []string{
		"duplicate member", "duplicate member, escaped", "member again in other case", "renamed member", "lone surrogate", "NUL", "invalid UTF-8",
		"huge string", "null member", "further member", "no content type", "odd content type", "two content types", "content coding",
		"semicolon", "bad escape", "unknown parameter", "another method",
	} {
		require.True(t, slices.ContainsFunc(report.Findings, func(f *fuzzapi.Finding) bool {
			return strings.Contains(f.Request, ", "+spoiled+"]")
		}), "not found: %s", spoiled)
	}
}

// TestItFindsServersThatAnswerWrongly has a fault of each other kind.
func TestItFindsServersThatAnswerWrongly(t *testing.T) {
	t.Parallel()
	for fault, handler := range map[string]http.HandlerFunc{
		"answered 500": func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusInternalServerError) },
		"answered 418, which the contract does not know": func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusTeapot) },
		"answered 422 as \"text/plain; charset=utf-8\"":  func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusUnprocessableEntity) },
		"answered 200 as \"text/html\"": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "{}")
		},
		"answered 200 with content against its schema": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "[]")
		},
		"Allow is [PUT]": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", "PUT")
			refuse(w, http.StatusMethodNotAllowed)
		},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			report := fuzz(t, handler)
			require.True(t, slices.ContainsFunc(report.Findings, func(f *fuzzapi.Finding) bool { return strings.HasPrefix(f.Fault, fault) }))
		})
	}
}

type makeThing struct {
	Loud bool `query:"loud"`
	Body struct {
		Name string         `json:"full_name" minLength:"1" maxLength:"200"`
		Note string         `json:"note,omitempty"`
		Tags []string       `json:"tags,omitempty" nullable:"false" uniqueItems:"true"`
		Data map[string]any `json:"data,omitempty"`
	}
}

type thingMade struct{ Body struct{} }

// TestItFindsNothingAtTheStrictReader is the same contract, kept by pkg/op.
func TestItFindsNothingAtTheStrictReader(t *testing.T) {
	t.Parallel()
	server := op.NewServer(op.Config{
		Service: "things", Logger: slog.New(slog.DiscardHandler), Tracer: tracenoop.NewTracerProvider(), Meter: noop.NewMeterProvider(),
		Propagator: propagation.TraceContext{},
		Verify: func(context.Context, string) (*authz.Principal, error) {
			return nil, errs.New(errs.Unauthenticated, "token_invalid", "The token is not valid.")
		},
	})
	op.Handle(server, op.Op[makeThing, thingMade]{
		Operation: huma.Operation{OperationID: "make-thing", Method: http.MethodPost, Path: "/api/v1/things", Summary: "Make"},
		Allow:     authz.Public(),
	}, func(context.Context, *makeThing) (*thingMade, error) { return &thingMade{}, nil })
	report := fuzz(t, server.HTTP())
	for _, f := range report.Findings {
		if !strings.Contains(f.Request, "another method]") && !strings.Contains(f.Request, "Atrium-Budget-Ms") { // both are the gateway's
			t.Errorf("%+v", *f)
		}
	}
	require.NotZero(t, report.Accepted["make-thing"])
}

// TestItSendsNoEmptyForms: a form without fields is no body at all, which only a spoiler sends.
func TestItSendsNoEmptyForms(t *testing.T) {
	t.Parallel()
	contract := strings.NewReplacer("application/json\": {\"schema\": {", "application/x-www-form-urlencoded\": {\"schema\": {",
		`, "required": ["full_name"]`, "").Replace(thingsContract)
	report := fuzzBy(t, contract, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if len(body) == 0 {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"status": 400, "code": "malformed_body"}`)
			return
		}
		refuse(w, http.StatusUnprocessableEntity)
	}))
	for _, f := range report.Findings {
		require.NotContains(t, f.Fault, "nobody spoiled", f.Request)
	}
	require.NotZero(t, report.Statuses[http.StatusUnprocessableEntity])
}

func TestARunIsToldByItsSeed(t *testing.T) {
	t.Parallel()
	run := func() []string {
		var seen []string
		fuzz(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			seen = append(seen, r.Method+r.RequestURI+string(body))
			refuse(w, http.StatusUnprocessableEntity)
		}))
		return seen
	}
	require.Equal(t, run(), run())
}

func refuse(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "code": "no"})
}

type nobody struct{}

func (nobody) Token(string) string { return "" }
func (nobody) Renew(string)        {}

func fuzz(t *testing.T, handler http.Handler) *fuzzapi.Report {
	t.Helper()
	return fuzzBy(t, thingsContract, handler)
}

func fuzzBy(t *testing.T, contract string, handler http.Handler) *fuzzapi.Report {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c, err := fuzzapi.ReadContract([]byte(contract))
	require.NoError(t, err)
	report, err := fuzzapi.Run(t.Context(), fuzzapi.Options{
		Origin: server.URL, Client: server.Client(), Contract: c, Callers: nobody{}, Seed: 7, Requests: 2000,
	})
	require.NoError(t, err)
	return report
}
