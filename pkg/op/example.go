package op

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// addExamples gives every JSON body that has none an example put together from the examples of its fields, so that the reference
// shows a request that can be sent as it stands.
func addExamples(doc *huma.OpenAPI) {
	for _, item := range doc.Paths {
		for _, o := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete, item.Patch} {
			if o == nil {
				continue
			}
			if o.RequestBody != nil {
				fillExamples(doc, o.RequestBody.Content)
			}
			for _, r := range o.Responses {
				fillExamples(doc, r.Content)
			}
		}
	}
}

func fillExamples(doc *huma.OpenAPI, content map[string]*huma.MediaType) {
	for _, m := range content {
		if m.Example == nil && len(m.Examples) == 0 && m.Schema != nil {
			m.Example = exampleOf(doc.Components.Schemas, m.Schema, 0)
		}
	}
}

// exampleOf is a value that satisfies the schema, made of its examples. Optional fields without an example are left out.
func exampleOf(registry huma.Registry, s *huma.Schema, depth int) any {
	if s.Ref != "" {
		s = registry.SchemaFromRef(s.Ref)
	}
	if s == nil || depth > 8 {
		return nil
	}
	if len(s.Examples) > 0 {
		return plain(s.Examples[0])
	}
	switch s.Type {
	case huma.TypeObject:
		out := map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
			if v := exampleOf(registry, s.Properties[name], depth+1); v != nil {
				out[name] = v
			} else if slices.Contains(s.Required, name) {
				out[name] = zeroOf(s.Properties[name])
			}
		}
		return out
	case huma.TypeArray:
		if s.Items == nil {
			return nil
		}
		if v := exampleOf(registry, s.Items, depth+1); v != nil {
			return []any{v}
		}
		return nil
	default:
		if len(s.Enum) > 0 {
			return s.Enum[0]
		}
		return s.Default
	}
}

// plain turns an example into what JSON makes of it, so that validators of the document see JSON values only.
func plain(v any) any {
	b, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	var out any
	if json.Unmarshal(b, &out) != nil {
		return nil
	}
	return out
}

func zeroOf(s *huma.Schema) any {
	switch {
	case s.Nullable:
		return nil
	case s.Type == huma.TypeString:
		return strings.Repeat("a", lengthOf(s.MinLength))
	case s.Type == huma.TypeBoolean:
		return false
	case s.Type == huma.TypeArray:
		return []any{}
	case s.Type == huma.TypeObject:
		return map[string]any{}
	default:
		return 0
	}
}

func lengthOf(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}
