package op

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/go-kit/kit/endpoint"
	"go.opentelemetry.io/otel/propagation"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/pkg/strictjson"
)

// HTTPCaller calls operations over HTTP: through the gateway as any client would, or a service directly.
type HTTPCaller struct {
	base       string
	client     *http.Client
	propagator propagation.TextMapPropagator
	breakers   breakers
}

// NewHTTPCaller makes a caller of the server at base, "http://localhost:8080".
func NewHTTPCaller(base string, client *http.Client, propagator propagation.TextMapPropagator) *HTTPCaller {
	return &HTTPCaller{base: strings.TrimSuffix(base, "/"), client: client, propagator: propagator}
}

// HTTPClient is the typed client of an operation that has a path. It sends the token that [request.WithToken] put into the context. Its
// errors have the kind, code and fields of the problem that was answered.
func HTTPClient[I, O any](c *HTTPCaller, o Op[I, O]) func(context.Context, *I) (*O, error) {
	if o.Path == "" {
		panic("op: " + o.OperationID + " is not on HTTP")
	}
	call := endpoint.Chain(withDeadline(o.Meta().Timeout), c.breakers.breaker(c.base))(httpEndpoint[I, O](c, o.Meta()))
	return func(ctx context.Context, in *I) (*O, error) {
		out, err := call(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("call %s: %w", o.OperationID, err)
		}
		return out.(*O), nil
	}
}

func httpEndpoint[I, O any](c *HTTPCaller, m Meta) endpoint.Endpoint {
	return func(ctx context.Context, in any) (any, error) {
		req, err := c.newRequest(ctx, m, reflect.ValueOf(in).Elem())
		if err != nil {
			return nil, fmt.Errorf("encode: %w", err)
		}
		resp, err := c.client.Do(req)
		if err != nil {
			if ctx.Err() != nil {
				return nil, errs.From(ctx.Err())
			}
			return nil, away(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
		if err != nil {
			return nil, away(err)
		}
		if resp.StatusCode >= http.StatusBadRequest {
			return nil, problemError(resp, body)
		}
		out := new(O)
		return out, readAnswer(reflect.ValueOf(out).Elem(), resp, body)
	}
}

func (c *HTTPCaller) newRequest(ctx context.Context, m Meta, in reflect.Value) (*http.Request, error) {
	path, query, header := m.Path, url.Values{}, http.Header{}
	for _, p := range paramsOf(in.Type()) {
		value := textOf(in.FieldByIndex(p.index))
		switch {
		case p.in == "path":
			path = strings.ReplaceAll(path, "{"+p.name+"}", url.PathEscape(value))
		case value == "":
		case p.in == "query":
			query.Set(p.name, value)
		default:
			header.Set(p.name, value)
		}
	}
	target := c.base + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	var body io.Reader
	if f := in.FieldByName("Body"); f.IsValid() {
		b, err := json.Marshal(f.Interface())
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
		header.Set("Content-Type", typeJSON)
	}
	req, err := http.NewRequestWithContext(ctx, m.Method, target, body)
	if err != nil {
		return nil, err
	}
	req.Header = header
	if r := request.From(ctx); r.Token != "" {
		req.Header.Set(headerAuth, "Bearer "+string(r.Token))
	}
	c.propagator.Inject(ctx, propagation.HeaderCarrier(req.Header))
	return req, nil
}

// readAnswer fills an output struct: its Body, its Status, and its string header fields.
func readAnswer(out reflect.Value, resp *http.Response, body []byte) error {
	for _, p := range paramsOf(out.Type()) {
		if f := out.FieldByIndex(p.index); f.Kind() == reflect.String {
			f.SetString(resp.Header.Get(p.name))
		}
	}
	if f := out.FieldByName("Status"); f.IsValid() && f.CanInt() {
		f.SetInt(int64(resp.StatusCode))
	}
	f := out.FieldByName("Body")
	if !f.IsValid() || len(body) == 0 {
		return nil
	}
	if err := strictjson.Unmarshal(body, f.Addr().Interface()); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	return nil
}

func problemError(resp *http.Response, body []byte) error {
	var p errs.Problem
	if json.Unmarshal(body, &p) != nil || p.Code == "" {
		return errs.From(errs.KindOfStatus(resp.StatusCode))
	}
	e := errs.New(errs.KindOfStatus(resp.StatusCode), p.Code, p.Detail).WithFields(p.Errors...)
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
		e = e.WithRetryAfter(time.Duration(s) * time.Second)
	}
	return e
}
