package op_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
)

const good = `{"name":"lamp","secret":"correct horse battery"}`

func TestHTTPAnswers(t *testing.T) {
	t.Parallel()
	b := setup(t, echo)
	own, foreign := "/api/v1/things/"+ada, "/api/v1/things/"+bob
	for name, c := range map[string]struct {
		method, path, token, contentType, body string
		status                                 int
		code                                   string
	}{
		"own thing":                     {"PUT", own, ada, "application/json", good, 200, ""},
		"with permission":               {"PUT", foreign, ada + "+things:write", "application/json", good, 200, ""},
		"JSON with charset":             {"PUT", own, ada, "application/json; charset=utf-8", good, 200, ""},
		"no token":                      {"PUT", own, "", "application/json", good, 401, "token_missing"},
		"no token comes before invalid": {"PUT", own, "", "application/json", `{`, 401, "token_missing"},
		"bad token":                     {"PUT", own, "bad", "application/json", good, 401, "token_invalid"},
		"someone else's":                {"PUT", foreign, ada, "application/json", good, 403, "permission_denied"},
		"malformed":                     {"PUT", own, ada, "application/json", `{"name":`, 400, "malformed_body"},
		"trailing data":                 {"PUT", own, ada, "application/json", good + "x", 400, "malformed_body"},
		"invalid UTF-8":                 {"PUT", own, ada, "application/json", "{\"name\":\"\xff\xfe\"}", 400, "malformed_body"},
		"NUL":                           {"PUT", own, ada, "application/json", `{"name":"a\u0000b","secret":"correct horse battery"}`, 400, "malformed_body"},
		"empty body":                    {"PUT", own, ada, "application/json", "", 400, "malformed_body"},
		"wrong content type":            {"PUT", own, ada, "text/plain", good, 415, "unsupported_content_type"},
		"form where JSON is declared":   {"PUT", own, ada, "application/x-www-form-urlencoded", "name=lamp", 415, "unsupported_content_type"},
		"another charset":               {"PUT", own, ada, "application/json; charset=latin1", good, 415, "unsupported_content_type"},
		"unknown field":                 {"PUT", own, ada, "application/json", `{"name":"lamp","secret":"correct horse battery","x":1}`, 422, "validation_failed"},
		"unknown query parameter":       {"PUT", own + "?nope=1", ada, "application/json", good, 422, "validation_failed"},
		"wrong type of parameter":       {"PUT", own + "?loud=perhaps", ada, "application/json", good, 422, "validation_failed"},
		"id that is none":               {"PUT", "/api/v1/things/7", ada + "+things:write", "application/json", good, 422, "validation_failed"},
		"too large":                     {"PUT", own, ada, "application/json", `{"name":"` + strings.Repeat("x", 2<<20) + `"}`, 413, "body_too_large"},
		"unknown route":                 {"GET", "/nowhere", "", "", "", 404, "route_not_found"},
		"wrong method":                  {"DELETE", own, ada, "", "", 405, "method_not_allowed"},
		"path with NUL":                 {"GET", "/api/v1/things/%00", ada, "", "", 400, "malformed_url"},
		"path that is not UTF-8":        {"GET", "/api/v1/things/%ff", ada, "", "", 400, "malformed_url"},
		"query that is not UTF-8":       {"GET", own + "?loud=%ff", ada, "", "", 400, "malformed_url"},
		"literal before parameter":      {"GET", "/api/v1/things/mine", ada, "", "", 200, ""},
		"form":                          {"POST", "/api/v1/form", "", "application/x-www-form-urlencoded", "username=ada&more=x", 200, ""},
		"form with a stale token":       {"POST", "/api/v1/form", "bad", "application/x-www-form-urlencoded", "username=ada", 200, ""},
		"form with a repeated field":    {"POST", "/api/v1/form", "", "application/x-www-form-urlencoded", "username=a&username=b", 400, "malformed_body"},
		"raw":                           {"GET", "/raw", ada, "", "", 200, ""},
		"raw refuses before it writes":  {"GET", "/raw?x", "", "", "", 401, "token_missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, code, body, _ := b.do(t, c.method, c.path, c.token, c.contentType, c.body)
			require.Equal(t, c.status, status, body)
			require.Equal(t, c.code, code)
		})
	}
}

func TestHTTPNamesFieldsAndNeverEchoes(t *testing.T) {
	t.Parallel()
	b := setup(t, echo)
	_, _, body, _ := b.do(t, "PUT", "/api/v1/things/"+ada, ada, "application/json", `{"secret":"hunter2","loud":"hunter3"}`)
	require.NotContains(t, body, "hunter")
	require.NotContains(t, b.logs.String(), "hunter")
	for _, want := range []string{
		`{"field":"body.name","code":"required","message":"is required"}`, `"field":"body.secret","code":"too_short"`,
		`"field":"body.loud","code":"unknown_field"`,
	} {
		require.Contains(t, body, want)
	}
}

func TestHTTPHeaders(t *testing.T) {
	t.Parallel()
	b := setup(t, echo)
	_, _, body, h := b.do(t, "PUT", "/api/v1/things/"+ada, ada, "application/json", good)
	require.Equal(t, `"1"`, h.Get("ETag"))
	require.Equal(t, "@1767225600", h.Get("Deprecation"))
	require.Equal(t, "Fri, 01 Jan 2027 00:00:00 GMT", h.Get("Sunset"))
	require.Contains(t, h.Get("Link"), "rel=\"deprecation\"")
	require.Contains(t, body, `"ip":"192.0.2.7"`)
	require.Contains(t, body, `"by":"`+ada)
	_, _, _, h = b.do(t, "DELETE", "/api/v1/things/"+ada, ada, "", "")
	require.Equal(t, "PUT", h.Get("Allow"))
	_, _, _, h = b.do(t, "PUT", "/api/v1/things/"+ada, "", "", "")
	require.Contains(t, h.Get("WWW-Authenticate"), "Bearer")
}

func TestHTTPErrorsOfTheImplementation(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		impl   func(context.Context) error
		status int
		code   string
	}{
		"typed": {func(context.Context) error {
			return fmt.Errorf("a: %w", errs.New(errs.Conflict, "taken", "It is taken."))
		}, 409, "taken"},
		"untyped":     {func(context.Context) error { return errors.New("pq: relation secrets does not exist") }, 500, "internal"},
		"panic":       {func(context.Context) error { panic("in main.go:7") }, 500, "internal"},
		"deadline":    {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, 504, "timeout"},
		"in disguise": {func(ctx context.Context) error { <-ctx.Done(); return errors.New("connection closed") }, 504, "timeout"},
		"unavailable": {func(context.Context) error {
			return errs.New(errs.Unavailable, "busy", "Busy.").WithRetryAfter(1500 * time.Millisecond)
		}, 503, "busy"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, func(ctx context.Context, _ *putThing) (*thingAnswer, error) { return nil, c.impl(ctx) })
			status, code, body, h := b.do(t, "PUT", "/api/v1/things/"+ada, ada, "application/json", good)
			require.Equal(t, c.status, status)
			require.Equal(t, c.code, code)
			for _, leak := range []string{"pq:", "panic", ".go", "relation", "goroutine", "connection"} {
				require.NotContains(t, body, leak)
			}
			require.Equal(t, map[bool]string{true: "2"}[status == http.StatusServiceUnavailable], h.Get("Retry-After"))
		})
	}
}

func TestHTTPLogsOneLine(t *testing.T) {
	t.Parallel()
	b := setup(t, echo)
	b.do(t, "PUT", "/api/v1/things/"+ada, ada, "application/json", good)
	require.Equal(t, 1, strings.Count(b.logs.String(), "\n"), b.logs.String())
	for _, want := range []string{"operation=put-thing", "transport=http", "outcome=ok", "status=200", "subject=" + ada} {
		require.Contains(t, b.logs.String(), want)
	}
	require.NotContains(t, b.logs.String(), "lamp")
}
