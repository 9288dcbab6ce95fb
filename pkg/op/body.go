package op

import (
	"context"
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atrium-mesh/atrium/pkg/strictjson"
	"github.com/atrium-mesh/atrium/pkg/text"
)

// reader is huma's API for one operation, with our reading of its body. huma reads a body twice: as a tree, which it validates, and into
// the request's struct. Both come from the same strict decoder, and the tree is fitted to the schema before huma sees it.
type reader struct {
	huma.API
	config huma.Config
	body   *huma.RequestBody // filled in when the operation is registered; nil: it takes none
}

// register registers an operation with its own reader.
func register[I, O any](api reader, h huma.Operation, handler func(context.Context, *I) (*O, error)) {
	if _, ok := reflect.TypeFor[I]().FieldByName("Body"); ok {
		if h.RequestBody == nil {
			h.RequestBody = &huma.RequestBody{}
		}
		api.body = h.RequestBody
	}
	huma.Register(api, h, handler)
	if api.body == nil {
		return
	}
	for _, m := range api.body.Content {
		mustBeJudgeable(api.OpenAPI().Components.Schemas, m.Schema)
	}
}

// Config is what huma asks its API for.
func (r reader) Config() huma.Config { return r.config }

// Negotiate is always JSON: of the formats, the form is only read.
func (reader) Negotiate(string) (string, error) { return typeJSON, nil }

// Unmarshal reads a body. Its content type was checked before, so that it is the one that the operation declares.
func (r reader) Unmarshal(_ string, data []byte, v any) error {
	read := strictjson.Unmarshal
	if _, form := r.body.Content[typeForm]; form {
		read = readForm
	}
	if err := read(data, v); err != nil {
		return err
	}
	if tree, ok := v.(*any); ok {
		for _, m := range r.body.Content {
			*tree = fit(r.OpenAPI().Components.Schemas, m.Schema, *tree)
		}
	}
	return nil
}

// foreign stands in the tree for a value that no schema may accept. It is of none of JSON's types, so that huma reports at its place
// which type it expected.
type foreign struct{}

// mustBeJudgeable panics over a schema that huma's validator and fit cannot judge. It runs at start.
func mustBeJudgeable(registry huma.Registry, s *huma.Schema) {
	walkSchema(registry, s, map[*huma.Schema]bool{})
}

func walkSchema(registry huma.Registry, s *huma.Schema, seen map[*huma.Schema]bool) {
	for s != nil && s.Ref != "" {
		s = registry.SchemaFromRef(s.Ref)
	}
	if s == nil || seen[s] {
		return
	}
	seen[s] = true
	switch {
	case s.OneOf != nil || s.AnyOf != nil || s.AllOf != nil || s.Not != nil:
		panic("op: a request must not have oneOf, anyOf, allOf or not: null is not judged in them")
	case s.UniqueItems && s.Items != nil && (s.Items.Ref != "" || s.Items.Type == huma.TypeObject || s.Items.Type == huma.TypeArray):
		panic("op: uniqueItems is for scalars only")
	}
	walkSchema(registry, s.Items, seen)
	for _, p := range s.Properties {
		walkSchema(registry, p, seen)
	}
	more, _ := s.AdditionalProperties.(*huma.Schema)
	walkSchema(registry, more, seen)
}

// fit makes a strictly decoded tree such that huma's validator judges it rightly. Left alone, huma
//
//   - takes null for "absent" in every optional member, whether the schema is nullable or not;
//   - panics over objects and arrays in a list of unique items, which it uses as keys of a map;
//   - rounds an integer of more than 53 bits before it compares, and takes 1.0 for one, which the struct's decoder does not;
//   - takes four spellings of a UUID, of which the database, the policies and the schema know one;
//   - takes times that cannot be written again.
func fit(registry huma.Registry, s *huma.Schema, v any) any {
	for s != nil && s.Ref != "" {
		s = registry.SchemaFromRef(s.Ref)
	}
	if s == nil || s.Type == "" { // anything goes
		return v
	}
	switch v := v.(type) {
	case nil:
		if s.Nullable {
			return nil
		}
		return foreign{}
	case json.Number:
		return fitNumber(s, v)
	case string:
		return fitText(s, v)
	case []any:
		for i := range v {
			v[i] = fit(registry, s.Items, v[i])
			if s.UniqueItems && !isScalar(v[i]) {
				v[i] = foreign{}
			}
		}
	case map[string]any:
		for name := range v {
			v[name] = fit(registry, memberSchema(s, name), v[name])
		}
	}
	return v
}

func isScalar(v any) bool {
	switch v.(type) {
	case []any, map[string]any:
		return false
	}
	return true
}

func memberSchema(s *huma.Schema, name string) *huma.Schema {
	if p, ok := s.Properties[name]; ok {
		return p
	}
	more, _ := s.AdditionalProperties.(*huma.Schema)
	return more
}

// fitNumber is the number as huma compares it. What does not fit the struct's field is foreign here already.
func fitNumber(s *huma.Schema, n json.Number) any {
	if s.Type == huma.TypeInteger {
		if _, err := n.Int64(); err != nil {
			return foreign{}
		}
	}
	if s.Type != huma.TypeInteger && s.Type != huma.TypeNumber {
		return foreign{}
	}
	f, err := n.Float64()
	if err != nil {
		return foreign{}
	}
	return f
}

const uuidLength = 36 // of RFC 9562 section 4

// fitText is a text that huma's check of formats refuses where ours does: a UUID in braces, as a URN or without hyphens, and a time that
// cannot be written again as it came. With time.Parse, by which huma reads parameters, "+24:00" was a 500.
func fitText(s *huma.Schema, raw string) string {
	switch s.Format {
	case "uuid":
		if len(raw) != uuidLength {
			return ""
		}
	case "date-time":
		if _, err := text.Time(raw); err != nil {
			return ""
		}
	}
	return raw
}
