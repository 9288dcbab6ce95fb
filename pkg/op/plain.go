package op

import (
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atrium-mesh/atrium/pkg/errs"
)

// MaxURL is the longest path with its query, in bytes. Everybody has to take 8,000 (RFC 9110 section 4.1), and a query costs several pieces
// of memory for each of its fields, in whatever reads it.
const MaxURL = 8 << 10

// PlainURL refuses what two readers could understand differently, before anything reads it: a path or query that is not valid UTF-8,
// holds a NUL or is not well escaped (net/url drops the pairs of a query that it does not understand, and with them a filter), and a
// field of which there may be one that comes several times. It refuses what is dear to read, too: addresses longer than [MaxURL].
func PlainURL(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case len(r.RequestURI) > MaxURL:
			refuse(w, r, errs.New(errs.Malformed, "url_too_long", "The address is longer than 8192 bytes."))
		case !plainQuery(r.URL.RawQuery) || !plainText(r.URL.Path):
			refuse(w, r, errs.New(errs.Malformed, "malformed_url", "The address is not valid UTF-8 or not well escaped."))
		case repeatsField(r.Header):
			refuse(w, r, errs.New(errs.Malformed, "malformed_header", "A field that may stand in a request once stands in it several times."))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func plainQuery(raw string) bool {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return false
	}
	for name, of := range values {
		if !plainText(name) || !plainText(strings.Join(of, "")) {
			return false
		}
	}
	return true
}

func plainText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// repeatsField tells of fields that are not lists (RFC 9110 section 5.3): of two of them some readers take the first and some the last.
func repeatsField(h http.Header) bool {
	for _, name := range []string{headerAuth, headerContentType, "Idempotency-Key", "If-Match", "Last-Event-ID", HeaderRequestID} {
		if len(h.Values(name)) > 1 {
			return true
		}
	}
	return false
}

// checkContentType refuses a body of a media type that the operation does not declare, and one that does not say what it is: huma alone
// would take any that it knows, and guess.
func checkContentType(hctx huma.Context, r *http.Request) error {
	declared, ct := hctx.Operation().RequestBody, hctx.Header(headerContentType)
	switch {
	case declared == nil:
		return nil
	case r.ContentLength == 0 && declared.Required:
		return errs.New(errs.Malformed, "malformed_body", "The body is missing: this operation needs one.")
	case r.ContentLength == 0:
		return nil
	}
	media, params, err := mime.ParseMediaType(ct)
	if err != nil {
		return unsupported()
	}
	if _, ok := declared.Content[media]; !ok {
		return unsupported()
	}
	if cs := params["charset"]; cs != "" && !strings.EqualFold(cs, "utf-8") {
		return unsupported()
	}
	if coding := hctx.Header("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return unsupported()
	}
	return nil
}

// wholeBody ends a body that broke off or was badly chunked, which huma calls its own fault, with a NUL: no format of ours takes one, so
// that it is answered as the client's mistake, and half a body is never taken for a whole one.
type wholeBody struct {
	io.ReadCloser
	broken bool
}

func (b *wholeBody) Read(p []byte) (int, error) {
	if b.broken {
		return 0, io.EOF
	}
	n, err := b.ReadCloser.Read(p)
	timeout, ok := errors.AsType[net.Error](err)
	if err == nil || errors.Is(err, io.EOF) || len(p) == 0 || ok && timeout.Timeout() {
		return n, err
	}
	b.broken = true
	if n == len(p) {
		n--
	}
	p[n] = 0
	return n + 1, nil
}

func unsupported() error {
	return errs.New(errs.Unsupported, "unsupported_content_type", "This operation does not take this content type, or the request does not say which it is.")
}

// checkParams refuses parameters that huma reads leniently: of several values it takes the first, and an empty one it takes for none, so
// that "?actor=" would list what everybody did.
func checkParams(registry huma.Registry, hctx huma.Context, r *http.Request) error {
	res, query := &huma.ValidateResult{}, r.URL.Query() // PlainURL has seen that it parses
	for _, p := range hctx.Operation().Parameters {
		path := at(p.In, p.Name)
		switch p.In {
		case "query":
			checkQuery(registry, p, query[p.Name], path, res)
		case "header":
			if len(r.Header.Values(p.Name)) > 1 {
				res.Add(path, nil, "expected at most one value")
			}
		case "cookie":
			if len(r.CookiesNamed(p.Name)) > 1 {
				res.Add(path, nil, "expected at most one value")
			}
		case "path":
			if value := hctx.Param(p.Name); fitText(p.Schema, value) != value {
				res.Add(path, nil, "expected string to be "+p.Schema.Format)
			}
		}
	}
	if len(res.Errors) > 0 {
		return invalid(res.Errors)
	}
	return nil
}

func checkQuery(registry huma.Registry, p *huma.Param, values []string, path *huma.PathBuffer, res *huma.ValidateResult) {
	many := p.Explode != nil && *p.Explode
	if len(values) > 1 && !many {
		res.Add(path, nil, "expected at most one value")
	}
	for _, value := range values {
		switch {
		case value == "" && p.Schema.Type != huma.TypeString:
			res.Add(path, nil, "expected "+p.Schema.Type)
		case value == "" || fitText(p.Schema, value) != value:
			huma.Validate(registry, p.Schema, path, huma.ModeWriteToServer, "", res)
		}
	}
}
