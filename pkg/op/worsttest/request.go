package worsttest

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/op"
)

// Request is the dearest one of a shape that an operation accepts.
type Request struct {
	Operation   string // its id
	Shape       string
	Method      string
	Path        string
	Query       string // with its question mark; ""
	ContentType string
	Body        string
	Header      http.Header
}

// Somebody stands for the number of a request in the address of an account: see [Request.Numbered].
const Somebody = "somebody"

// headerSize is nearly all that a server reads of a header: lifecycle's servers stop at 64 KiB.
const headerSize = 60 << 10

// All are what a stranger can send to a service: to each public operation, to one that refuses them, and to paths of nobody's.
func All(t testing.TB, operations []op.Declared) []Request {
	t.Helper()
	out, prefixes := Public(t, operations), map[string]bool{}
	for _, o := range operations {
		m := o.Meta()
		prefix, _, parameter := strings.Cut(m.Path, "{")
		switch {
		case m.Path == "" || m.Allow.IsPublic():
			continue
		case parameter && !prefixes[prefix]:
			prefixes[prefix] = true
			out = append(out, Paths(http.MethodTrace, prefix)...) // which no path offers: it is tried with every method
		case !parameter && m.Method == http.MethodGet:
			plain := Request{Operation: m.ID, Method: m.Method, Path: m.Path}
			out = append(append(out, Queries(plain)...), Fields(plain)...)
		}
	}
	require.NotEmpty(t, out)
	return out
}

// Public are, for every operation that anybody may call over HTTP, requests that fill what they may: bodies, queries and fields.
func Public(t testing.TB, operations []op.Declared) []Request {
	t.Helper()
	doc := op.Document(huma.Info{Title: "worst"}, "", operations)
	var out []Request
	for _, o := range operations {
		m := o.Meta()
		if m.Path == "" || !m.Allow.IsPublic() {
			continue
		}
		require.NotContains(t, m.Path, "{", "%s: say here what its path may hold", m.ID)
		plain := Request{Operation: m.ID, Method: m.Method, Path: m.Path}
		out = append(out, Queries(plain)...)
		out = append(out, Fields(plain)...)
		if item := doc.Paths[m.Path]; m.Method == http.MethodPost && item != nil && item.Post.RequestBody != nil {
			require.LessOrEqual(t, m.MaxBody, int64(op.PublicMaxBody), m.ID)
			require.NotZero(t, m.MaxBody, m.ID)
			out = append(out, bodies(plain, doc, item.Post.RequestBody, int(m.MaxBody))...)
		}
	}
	return out
}

func bodies(plain Request, doc *huma.OpenAPI, body *huma.RequestBody, size int) []Request {
	var out []Request
	for contentType, media := range body.Content {
		schema := media.Schema
		if schema.Ref != "" {
			schema = doc.Components.Schemas.SchemaFromRef(schema.Ref)
		}
		for shape, text := range shapes(schema, size) {
			r := plain
			r.Shape, r.ContentType, r.Body = shape, contentType, text
			if contentType == form {
				r.Body = formOf(schema, shape, size)
			}
			out = append(out, r)
		}
	}
	return out
}

// Queries are a request with the longest of queries.
func Queries(plain Request) []Request {
	var out []Request
	for length, size := range map[string]int{"too long": headerSize, "as long as may be": op.MaxURL - len(plain.Path) - len("?")} {
		for shape, query := range map[string]string{
			"query of one value":    "token=" + repeat("%C3%BC", size-len("token=")),
			"query of many fields":  strings.TrimSuffix(repeat("a=1&", size), "&"),
			"query of many names":   manyFields(size),
			"query of many escapes": repeat("%61", size),
			"query of separators":   repeat("&", size),
			"query of bad escapes":  repeat("%zz&", size),
			"query of our names":    repeat("token=a&ticket=a&", size),
		} {
			r := plain
			r.Shape, r.Query = shape+" "+length, "?"+query
			out = append(out, r)
		}
	}
	return out
}

func manyFields(size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size-16; i++ {
		fmt.Fprintf(&b, "%x=1&", i)
	}
	return strings.TrimSuffix(b.String(), "&")
}

// Paths are the longest of paths under a prefix, which ends with a slash.
func Paths(method, prefix string) []Request {
	var out []Request
	for shape, unit := range map[string]string{"segments": "a/", "slashes": "/", "dots": "./", "letters": "a", "escapes": "%61"} {
		for length, size := range map[string]int{"too long": headerSize, "as long as may be": op.MaxURL} {
			out = append(out, Request{
				Operation: "path",
				Shape:     prefix + " " + shape + " " + length,
				Method:    method,
				Path:      prefix + repeat(unit, size-len(prefix)),
			})
		}
	}
	return out
}

// Fields are a request with the longest of each header field that Atrium, or what it is built with, reads.
func Fields(plain Request) []Request {
	const size = headerSize
	var out []Request
	add := func(shape, name string, values ...string) {
		r := plain
		r.Shape, r.Header = shape, http.Header{name: values}
		out = append(out, r)
	}
	add("bearer of one letter", "Authorization", "Bearer "+repeat("a", size))
	add("bearer of dots", "Authorization", "Bearer "+repeat(".", size))
	add("bearer of spaces", "Authorization", "Bearer "+repeat(" ", size)+"a")
	add("bearer as long as one may be", "Authorization", "Bearer "+longToken)
	add("basic", "Authorization", "Basic "+repeat("YTph", size))
	add("cookies", "Cookie", repeat("a=1; ", size))
	add("cookies of ours", "Cookie", repeat("atrium_access=1; ", size))
	add("cookie of one value", "Cookie", "atrium_access="+repeat("a", size))
	add("accept", "Accept", repeat("a/b;q=0.1,", size))
	add("accept-language", "Accept-Language", repeat("de;q=0.1,", size))
	add("accept-encoding", "Accept-Encoding", repeat("a;q=0.1,", size))
	add("content-type", "Content-Type", "application/json"+repeat(";a=b", size))
	add("user-agent", "User-Agent", repeat("Firefox/1 ", size))
	add("user-agent of brackets", "User-Agent", repeat("(", size))
	add("origin", "Origin", "https://"+repeat("a.", size)+"example")
	add("traceparent", "Traceparent", "00-"+repeat("a-", size))
	add("tracestate", "Tracestate", repeat("a=b,", size))
	add("baggage", "Baggage", repeat("a=b,", size))
	add("baggage of properties", "Baggage", "a=b"+repeat(";c=d", size))
	add("addresses", "X-Forwarded-For", repeat("1,", size))
	add("forwarded", "Forwarded", repeat("for=1,", size))
	add("preflight", "Access-Control-Request-Headers", repeat("a,", size))
	add("request id", op.HeaderRequestID, repeat("a", size))
	add("client address", op.HeaderClientIP, repeat("1:", size))
	add("if-match", "If-Match", repeat(`"1",`, size))
	add("many fields of one name", "X-Any", strings.Split(strings.TrimSuffix(repeat("a,", size/6), ","), ",")...)
	return out
}

// longToken is as long as a token that is looked at may be, and looks like one of ours.
var longToken = "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6IngifQ." + repeat("e", 8000) + "." + repeat("a", 86)

// Numbered is the request about another person than any before, and the address of a client that has not called before: whoever is
// slowed down costs nothing.
func (r Request) Numbered(t testing.TB, base string) (*http.Request, string) {
	t.Helper()
	n := requests.Add(1)
	body := strings.ReplaceAll(r.Body, Somebody, fmt.Sprintf("%0*d", len(Somebody), n))
	out, err := http.NewRequestWithContext(t.Context(), r.Method, base+r.Path+r.Query, strings.NewReader(body))
	require.NoError(t, err)
	if r.ContentType != "" {
		out.Header.Set("Content-Type", r.ContentType)
	}
	maps.Copy(out.Header, r.Header)
	return out, fmt.Sprintf("2001:db8:%x:%x::1", n>>16&0xffff, n&0xffff)
}

var requests atomic.Int64

// Send is the status that a request is answered with.
func Send(t testing.TB, r *http.Request) int {
	t.Helper()
	answer, err := client.Do(r)
	require.NoError(t, err)
	_, _ = io.Copy(io.Discard, answer.Body)
	require.NoError(t, answer.Body.Close())
	return answer.StatusCode
}

// client follows nothing: what a redirection leads to is another request.
var client = http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
