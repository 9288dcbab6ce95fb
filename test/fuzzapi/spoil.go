package fuzzapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// spoiler makes one thing of a request unusual or wrong. It is false when the request has nothing of that kind. Whether the result is still
// allowed is for the judge to say.
type spoiler struct {
	name  string
	spoil func(g generator, r *Request) bool
}

// spoilers are every way to spoil a request.
var spoilers = slices.Concat(bodySpoilers, memberSpoilers, addressSpoilers, fieldSpoilers)

// bodySpoilers change the bytes of a body.
var bodySpoilers = []spoiler{
	{"duplicate member", func(g generator, r *Request) bool {
		return rewrite(r, func(body []byte) []byte {
			name, value, ok := anyMember(g, body)
			if !ok {
				return nil
			}
			return fmt.Appendf(nil, "{%s:%s,%s", name, value, body[1:])
		})
	}},
	{"duplicate member, escaped", func(g generator, r *Request) bool {
		return rewrite(r, func(body []byte) []byte {
			name, value, ok := anyMember(g, body)
			if !ok || len(name) < 3 {
				return nil
			}
			return fmt.Appendf(nil, `{"\u%04x%s:%s,%s`, name[1], name[2:], value, body[1:])
		})
	}},
	{"member again in other case", func(g generator, r *Request) bool {
		return rewrite(r, func(body []byte) []byte {
			name, value, ok := anyMember(g, body)
			if !ok {
				return nil
			}
			return fmt.Appendf(nil, "{%s:%s,%s", bytes.ToUpper(name), value, body[1:])
		})
	}},
	{"lone surrogate", inString(`\ud800`)},
	{"NUL", inString(`\u0000`)},
	{"control character", inString(`\u0007`)},
	{"bidi override", inString(`\u202e`)},
	{"raw control character", inString("\x01")},
	{"invalid UTF-8", inString("\xff")},
	{"huge string", inString(strings.Repeat("a", 70_000))},
	{"byte order mark", replace(func(b []byte) []byte { return append([]byte("\ufeff"), b...) })},
	{"trailing data", replace(func(b []byte) []byte { return append(slices.Clone(b), "{}"...) })},
	{"trailing comma", replace(func(b []byte) []byte { return append(slices.Clone(b[:len(b)-1]), ",}"...) })},
	{"half", replace(func(b []byte) []byte { return b[:len(b)/2] })},
	{"nothing", replace(func([]byte) []byte { return []byte{} })},
	{"null", replace(func([]byte) []byte { return []byte("null") })},
	{"list", replace(func(b []byte) []byte { return fmt.Appendf(nil, "[%s]", b) })},
	{"text", replace(func([]byte) []byte { return []byte(`"text"`) })},
	{"number", replace(func([]byte) []byte { return []byte("1e999") })},
	{"deep nesting", replace(func(b []byte) []byte {
		return fmt.Appendf(nil, `{"x":%s%s,%s`, strings.Repeat("[", 5000), strings.Repeat("]", 5000), b[1:])
	})},
	{"form", func(_ generator, r *Request) bool {
		if r.Operation.BodyType != "application/x-www-form-urlencoded" || len(r.Body) == 0 {
			return false
		}
		r.Body = append(slices.Clone(r.Body), "&username=a;b&x=%zz"...)
		return true
	}},
	{"repeated form field", func(_ generator, r *Request) bool {
		if r.Operation.BodyType != "application/x-www-form-urlencoded" || len(r.Body) == 0 {
			return false
		}
		r.Body = fmt.Appendf(nil, "%s&%s", r.Body, r.Body)
		return true
	}},
}

// memberSpoilers change one value somewhere in a body.
var memberSpoilers = []spoiler{
	{"null member", atMember(func(generator, any) any { return nil })},
	{"member of another type", atMember(func(g generator, _ any) any {
		return []any{true, 17.0, "text", []any{}, map[string]any{}, []any{map[string]any{}}, map[string]any{"a": []any{nil}}}[g.IntN(7)]
	})},
	{"list of objects", atMember(func(generator, any) any { return []any{map[string]any{}, map[string]any{}, []any{}, nil} })},
	{"odd number", atMember(func(g generator, _ any) any {
		return json.Number([]string{"-1", "1e400", "1e2", "1.5", "-0", "9223372036854775808", "0.1e-400", "12345678901234567890123"}[g.IntN(8)])
	})},
	{"empty string", atMember(func(generator, any) any { return "" })},
	{"blank string", atMember(func(generator, any) any { return "  \t " })},
	{"odd text", atMember(func(g generator, _ any) any { return oddTexts[g.IntN(len(oddTexts))] })},
	{"missing member", func(g generator, r *Request) bool {
		return tree(r, func(body map[string]any) bool {
			names := slices.Sorted(maps.Keys(body))
			if len(names) == 0 {
				return false
			}
			delete(body, names[g.IntN(len(names))])
			return true
		})
	}},
	{"further member", func(g generator, r *Request) bool {
		return tree(r, func(body map[string]any) bool { body["surprise"] = g.IntN(9); return true })
	}},
	{"renamed member", func(g generator, r *Request) bool {
		return tree(r, func(body map[string]any) bool {
			names := slices.Sorted(maps.Keys(body))
			if len(names) == 0 {
				return false
			}
			name := names[g.IntN(len(names))]
			body[string(unicode.ToUpper(rune(name[0])))+name[1:]] = body[name]
			delete(body, name)
			return true
		})
	}},
}

var oddTexts = []string{
	"' OR 1=1 --", "../../etc/passwd", "{{.}}", "%s%n", "\u200d", "a\u0301", "ｗｉｄｅ@example.com", "Name <a@example.com>", "a@[127.0.0.1]",
	"{0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e}", "0198C5A0-6F5E-7C3B-9A51-3F7D1C2B4A5E", "2026-02-30T00:00:00Z", "2026-01-02 15:04:05",
	"9999999-01-01T00:00:00Z", "2026-01-01T00:00:00+24:00", "2026-01-01T0:00:00Z", "2026-01-01T00:00:00,5Z", "0000-01-01T00:00:00+12:00", "javascript:alert(1)", "\r\nX: y", "localtime", "en-x-" + strings.Repeat("a", 300), "\U000e0041",
}

// addressSpoilers change the path, the query or the method.
var addressSpoilers = []spoiler{
	{"another method", func(g generator, r *Request) bool {
		r.Method = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "PROPFIND"}[g.IntN(9)]
		return true
	}},
	{"unknown parameter", addQuery("nobody=1")},
	{"semicolon", addQuery("a=1;b=2")},
	{"bad escape", addQuery("page=%zz")},
	{"half escape", addQuery("page=%")},
	{"query that is not UTF-8", addQuery("q=%ff")},
	{"NUL in the query", addQuery("q=%00")},
	{"token in the query", addQuery("access_token=a.b.c")},
	{"repeated parameter", func(g generator, r *Request) bool {
		_, raw, _ := strings.Cut(r.Target, "?")
		first, _, _ := strings.Cut(raw, "&")
		return first != "" && addQuery(first)(g, r)
	}},
	{"odd parameter", func(g generator, r *Request) bool {
		var of []Param
		for _, p := range r.Operation.Params {
			if p.In == "query" {
				of = append(of, p)
			}
		}
		if len(of) == 0 {
			return false
		}
		odd := slices.Concat(oddTexts, []string{"", "-1", "0", "1e3", "99999999999999999999", "true", "TRUE", strings.Repeat("a", 5000)})
		path, _, _ := strings.Cut(r.Target, "?")
		r.Target = path + "?" + url.QueryEscape(of[g.IntN(len(of))].Name) + "=" + url.QueryEscape(odd[g.IntN(len(odd))])
		return true
	}},
	{"odd id", func(g generator, r *Request) bool {
		odd := []string{
			"%00", "%ff", "%2F", "%2e%2e", "..", ".", "%20", "0", "me", "%7B0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e%7D",
			"0198C5A0-6F5E-7C3B-9A51-3F7D1C2B4A5E", "0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e", "00000000-0000-0000-0000-000000000000",
			"urn:uuid:0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e", strings.Repeat("a", 3000), "a;b", "a%3Bb", "%zz", "%D8%A0", "%E2%80%AE", "+", "*",
		}
		path, query, has := strings.Cut(r.Target, "?")
		given := slices.IndexFunc(r.Params, func(p Given) bool { return p.In == "path" })
		if given < 0 {
			return false
		}
		r.Target = strings.Replace(path, url.PathEscape(r.Params[given].Value), odd[g.IntN(len(odd))], 1)
		if has {
			r.Target += "?" + query
		}
		return true
	}},
	{"odd path", func(g generator, r *Request) bool {
		path, query, has := strings.Cut(r.Target, "?")
		r.Target = []string{path + "/", "/" + path, path + "/..", strings.ToUpper(path), path + "%00", path + "/%2e", path + "%20"}[g.IntN(7)]
		if has {
			r.Target += "?" + query
		}
		return true
	}},
}

func addQuery(what string) func(generator, *Request) bool {
	return func(_ generator, r *Request) bool {
		if strings.Contains(r.Target, "?") {
			r.Target += "&" + what
		} else {
			r.Target += "?" + what
		}
		return true
	}
}

// fieldSpoilers change the header.
var fieldSpoilers = []spoiler{
	{"no content type", contentTypes()},
	{"odd content type", contentTypes("text/plain", "application/xml", "application/json; charset=latin1", "*/*", "json", "multipart/form-data; boundary=x")},
	{"content type in capitals", contentTypes("Application/JSON; Charset=UTF-8")},
	{"two content types", func(_ generator, r *Request) bool {
		r.Header = append(r.Header, [2]string{"Content-Type", "text/plain"})
		return len(r.header("Content-Type")) > 1
	}},
	{"content coding", func(_ generator, r *Request) bool {
		r.Header = append(r.Header, [2]string{"Content-Encoding", "gzip"})
		return r.Body != nil
	}},
	{"repeated field", func(_ generator, r *Request) bool {
		for _, p := range r.Operation.Params {
			if p.In == "header" {
				r.Header = append(r.Header, [2]string{p.Name, `"1"`}, [2]string{p.Name, `"2"`})
				return true
			}
		}
		return false
	}},
	{"odd field", func(g generator, r *Request) bool {
		odd := [][2]string{
			{"Accept", "application/x-www-form-urlencoded"},
			{"Accept", "text/html;q=x"},
			{"If-Match", "nonsense"},
			{"If-Match", `W/"1"`},
			{"If-None-Match", "*"},
			{"Idempotency-Key", strings.Repeat("k", 300)},
			{"Idempotency-Key", "ü"},
			{"X-Request-Id", "a b"},
			{"X-Forwarded-For", "not an address"},
			{"Range", "bytes=0-"},
			{"Expect", "100-continue"},
			{"Cookie", "__Secure-atrium_refresh=a; x"},
			{"Cookie", "__Host-atrium_access=a; __Host-atrium_access=b"},
			{"Sec-Fetch-Site", "cross-site"},
			{"Traceparent", "00-zz"},
			{"Upgrade", "h2c"},
			{"Origin", "https://evil.example"},
			{"Content-Language", "xx"},
			{"Accept-Language", "xx-" + strings.Repeat("y", 900)},
			{"Atrium-Budget-Ms", "1"},
			{"X-Atrium-Client-Ip", "127.0.0.1"},
			{"Last-Event-ID", "\xff"},
			{"Transfer-Encoding", "identity"},
		}
		r.Header = append(r.Header, odd[g.IntN(len(odd))])
		return true
	}},
	{"token that is none", func(g generator, r *Request) bool {
		r.Who = "anonymous"
		r.Header = append(r.Header, [2]string{"Authorization", []string{"Bearer", "Bearer x", "Bearer a.b.c", "Basic YTpi", "Bearer " + strings.Repeat("x", 9000)}[g.IntN(5)]})
		return true
	}},
	{"body where none is asked for", func(_ generator, r *Request) bool {
		if r.Operation.BodyType != "" {
			return false
		}
		r.Body, r.Header = []byte(`{"a":1}`), append(r.Header, [2]string{"Content-Type", "application/json"})
		return true
	}},
}

func contentTypes(to ...string) func(generator, *Request) bool {
	return func(g generator, r *Request) bool {
		r.drop("Content-Type")
		if len(to) > 0 {
			r.Header = append(r.Header, [2]string{"Content-Type", to[g.IntN(len(to))]})
		}
		return len(r.Body) > 0
	}
}
