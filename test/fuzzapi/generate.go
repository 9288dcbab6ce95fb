package fuzzapi

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
)

// generator makes requests that the contract allows.
type generator struct {
	*rand.Rand
	contract *Contract
	known    *knowledge
}

// request is one for the operation. Optional parameters and members come and go.
func (g generator) request(o *Operation) *Request {
	r := &Request{Operation: o, Method: o.Method, Target: o.Path}
	query := url.Values{}
	for _, p := range o.Params {
		if !p.Required && p.In != "path" && g.IntN(3) > 0 {
			continue
		}
		value := plain(g.value(p.Schema, p.Name, 0))
		if p.In == "path" {
			value = g.known.pick(g.Rand, o.Path, p.Name, value)
		}
		if value == "" {
			continue
		}
		r.Params = append(r.Params, Given{p.In, p.Name, value})
		switch p.In {
		case "path":
			r.Target = strings.ReplaceAll(r.Target, "{"+p.Name+"}", url.PathEscape(value))
		case "query":
			query.Set(p.Name, value)
		case "header":
			r.Header = append(r.Header, [2]string{p.Name, value})
		}
	}
	if len(query) > 0 {
		r.Target += "?" + query.Encode()
	}
	if o.BodyType != "" && (o.BodyRequired || g.IntN(2) == 0) {
		body := g.value(o.BodySchema, "", 0)
		if o.Example != nil && g.IntN(3) == 0 {
			body = o.Example
		}
		r.Body = encode(o.BodyType, body)
		if len(r.Body) == 0 { // a form without fields is no body
			r.Body = encode(o.BodyType, g.oneMember(o.BodySchema))
		}
		r.Header = append(r.Header, [2]string{"Content-Type", o.BodyType})
	}
	return r
}

// oneMember is an object with one of the schema's members.
func (g generator) oneMember(schema map[string]any) any {
	properties := object(g.contract.resolve(schema)["properties"])
	names := slices.Sorted(maps.Keys(properties))
	name := names[g.IntN(len(names))]
	return map[string]any{name: g.value(object(properties[name]), name, 0)}
}

const deepest = 8

// value is a value that the schema allows, or nil where it cannot tell how to make one.
func (g generator) value(schema map[string]any, name string, depth int) any {
	s := g.contract.resolve(schema)
	if enum, ok := s["enum"].([]any); ok {
		return enum[g.IntN(len(enum))]
	}
	kind := g.kind(s)
	if examples, ok := s["examples"].([]any); ok && len(examples) > 0 && g.IntN(3) == 0 && kind != "array" {
		return examples[0]
	}
	switch kind {
	case "null":
		return nil
	case "boolean":
		return g.IntN(2) == 0
	case "integer", "number":
		return g.number(s)
	case "string":
		return g.text(s, name)
	case "array":
		list := []any{}
		for range max(bound(s, "minItems", 0), min(bound(s, "maxItems", 3), g.IntN(3))) {
			if item := g.value(object(s["items"]), name, depth+1); s["uniqueItems"] != true || !contains(list, item) {
				list = append(list, item)
			}
		}
		return list
	case "object":
		return g.object(s, depth)
	default:
		return []any{"free", 7.0, nil, true, map[string]any{"a": "b"}}[g.IntN(5)]
	}
}

// contains compares scalars only: nothing else is unique in a contract of ours.
func contains(list []any, v any) bool {
	return slices.ContainsFunc(list, func(other any) bool { return plain(other) == plain(v) })
}

func (g generator) kind(s map[string]any) string {
	if kinds, ok := s["type"].([]any); ok {
		return text(kinds[g.IntN(len(kinds))])
	}
	return text(s["type"])
}

func (g generator) object(s map[string]any, depth int) any {
	out, properties := map[string]any{}, object(s["properties"])
	required, _ := s["required"].([]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if slices.Contains(required, any(name)) || depth < deepest && g.IntN(2) == 0 {
			out[name] = g.value(object(properties[name]), name, depth+1)
		}
	}
	if more := object(s["additionalProperties"]); s["additionalProperties"] != nil && s["additionalProperties"] != false && depth < deepest && len(properties) == 0 {
		for range g.IntN(3) {
			out["k"+plain(float64(g.IntN(100)))] = g.value(more, "", depth+1)
		}
	}
	return out
}

func (g generator) number(s map[string]any) any {
	low, high := bound(s, "minimum", 0), bound(s, "maximum", 1000)
	return float64(low + g.IntN(max(1, min(high-low, 1000))))
}

func (g generator) text(s map[string]any, name string) any {
	switch text(s["format"]) {
	case "uuid":
		return g.known.pick(g.Rand, "", name, "0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e")
	case "date-time":
		return []string{"2026-01-02T15:04:05Z", "2030-12-31T23:59:59.123Z", "2026-01-02T15:04:05+02:00"}[g.IntN(3)]
	case "idn-email":
		return []string{"fuzz", "Fuzz", "fúzz", "ファズ"}[g.IntN(4)] + plain(float64(g.IntN(1_000_000))) + "@atrium.example"
	case "email":
		return "fuzz" + plain(float64(g.IntN(1_000_000))) + "@atrium.example"
	case "uri":
		return "https://example.com/a"
	}
	if examples, ok := s["examples"].([]any); ok && len(examples) > 0 && (s["pattern"] != nil || g.IntN(3) > 0) {
		if example := text(examples[0]); example != "" {
			return example
		}
	}
	words := []string{"abcdefgh", "Zoë", "Łukasz", "日本語", "👩‍🚀", "O'Neill", "a b", "x;y", "%41", "<b>", "null", "name with several words"}
	out := words[g.IntN(len(words))]
	for len([]rune(out)) < bound(s, "minLength", 0) {
		out += words[g.IntN(len(words))]
	}
	if most := bound(s, "maxLength", 1<<20); len([]rune(out)) > most {
		out = string([]rune(out)[:most])
	}
	return out
}

func bound(s map[string]any, name string, otherwise int) int {
	switch n := s[name].(type) {
	case json.Number:
		f, err := n.Float64()
		if err == nil {
			return int(f)
		}
	case float64:
		return int(n)
	}
	return otherwise
}
