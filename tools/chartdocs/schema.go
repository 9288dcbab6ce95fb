package main

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document is the JSON schema (draft 7, which Helm reads) of all values. What is not in values.yaml is refused.
func document(top []*value) map[string]any {
	schema := object(top)
	schema["$schema"] = "http://json-schema.org/draft-07/schema#"
	properties, _ := schema["properties"].(map[string]any)
	properties["global"] = map[string]any{"type": "object", "description": "Values of a parent chart. Not used."}
	return schema
}

func object(children []*value) map[string]any {
	properties := map[string]any{}
	for _, v := range children {
		properties[v.name] = schemaOf(v)
	}
	return map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
}

func schemaOf(v *value) map[string]any {
	if len(v.children) > 0 {
		schema := object(v.children)
		describe(schema, v.doc)
		return schema
	}
	schema := map[string]any{"type": typeOf(v)}
	describe(schema, v.doc)
	switch v.node.Kind {
	case yaml.MappingNode:
		if v.notes["values"] != "" {
			schema["additionalProperties"] = map[string]any{"type": []string{"string", "number", "boolean"}}
		}
	case yaml.SequenceNode:
		schema["items"] = map[string]any{"type": v.notes["items"]}
	default:
		restrict(schema, v)
	}
	return schema
}

func describe(schema map[string]any, doc string) {
	if doc != "" {
		schema["description"] = doc
	}
}

// typeOf is what JSON calls the type of the default, or what the comment says.
func typeOf(v *value) any {
	name := v.notes["type"]
	if name == "" {
		name = map[string]string{"!!map": "object", "!!seq": "array", "!!bool": "boolean", "!!int": "integer", "!!float": "number"}[v.node.Tag]
	}
	if name == "" {
		name = "string"
	}
	if _, nullable := v.notes["nullable"]; nullable {
		return []string{name, "null"}
	}
	return name
}

func restrict(schema map[string]any, v *value) {
	if enum := v.notes["enum"]; enum != "" {
		var all []any
		for one := range strings.SplitSeq(enum, ",") {
			if n, err := strconv.Atoi(one); err == nil && v.node.Tag == "!!int" {
				all = append(all, n)
				continue
			}
			all = append(all, one)
		}
		schema["enum"] = all
	}
	if pattern := v.notes["pattern"]; pattern != "" {
		schema["pattern"] = pattern
	}
	if n, err := strconv.Atoi(v.notes["minimum"]); err == nil {
		schema["minimum"] = n
	}
}
