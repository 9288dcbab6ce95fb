package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// fromOpenAPI adds definitions.json, and a file that points into it for each kind.
func fromOpenAPI(raw []byte, schemas map[string]any) error {
	var document struct {
		Definitions map[string]any `json:"definitions"`
	}
	if err := json.Unmarshal(raw, &document); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	needed := map[string]any{}
	var take func(name string) error
	take = func(name string) error {
		if needed[name] != nil {
			return nil
		}
		definition, ok := document.Definitions[name]
		if !ok {
			return fmt.Errorf("there is no definition %s", name)
		}
		needed[name] = strict(definition)
		for _, ref := range refs(definition) {
			if err := take(ref); err != nil {
				return err
			}
		}
		return nil
	}
	for _, kind := range kinds {
		if err := take(kind); err != nil {
			return err
		}
		parts := strings.Split(kind, ".") // io k8s api <group> <version> <kind>
		group, version, name := parts[3], parts[4], parts[5]
		schemas[fileName(map[bool]string{true: "", false: group}[group == "core"], version, name)] = map[string]any{
			"$ref": "definitions.json#/definitions/" + kind,
		}
	}
	schemas["definitions.json"] = map[string]any{"definitions": needed}
	return nil
}

// fromDefinition adds the schema of each version that a CustomResourceDefinition serves.
func fromDefinition(raw []byte, schemas map[string]any) error {
	var crd struct {
		Kind string `yaml:"kind"`
		Spec struct {
			Group string `yaml:"group"`
			Names struct {
				Kind string `yaml:"kind"`
			} `yaml:"names"`
			Versions []struct {
				Name   string `yaml:"name"`
				Served bool   `yaml:"served"`
				Schema struct {
					Schema map[string]any `yaml:"openAPIV3Schema"`
				} `yaml:"schema"`
			} `yaml:"versions"`
		} `yaml:"spec"`
	}
	if err := yaml.Unmarshal(raw, &crd); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if crd.Kind != "CustomResourceDefinition" {
		return errors.New("not a CustomResourceDefinition")
	}
	for _, v := range crd.Spec.Versions {
		if !v.Served {
			continue
		}
		schema, _ := strict(v.Schema.Schema).(map[string]any)
		properties, _ := schema["properties"].(map[string]any)
		properties["metadata"] = map[string]any{"type": "object"}
		schemas[fileName(strings.SplitN(crd.Spec.Group, ".", 2)[0], v.Name, crd.Spec.Names.Kind)] = schema
	}
	return nil
}

// fileName is where kubeconform looks with {{ .ResourceKind }}{{ .KindSuffix }}.json.
func fileName(group, version, kind string) string {
	if group == "" {
		return strings.ToLower(kind + "-" + version + ".json")
	}
	return strings.ToLower(kind + "-" + group + "-" + version + ".json")
}

// refs are the definitions that a schema names.
func refs(in any) []string {
	var out []string
	switch at := in.(type) {
	case map[string]any:
		if ref, ok := at["$ref"].(string); ok {
			out = append(out, strings.TrimPrefix(ref, "#/definitions/"))
		}
		for _, child := range at {
			out = append(out, refs(child)...)
		}
	case []any:
		for _, child := range at {
			out = append(out, refs(child)...)
		}
	}
	return out
}

// strict is a schema without what only people and API servers read, that refuses unknown fields, and takes numbers where Kubernetes does.
func strict(in any) any {
	at, ok := in.(map[string]any)
	if !ok {
		if list, ok := in.([]any); ok {
			out := make([]any, len(list))
			for i, child := range list {
				out[i] = strict(child)
			}
			return out
		}
		return in
	}
	out := map[string]any{}
	for key, child := range at {
		if key == "properties" {
			properties := map[string]any{}
			fields, _ := child.(map[string]any)
			for name, field := range fields {
				properties[name] = strict(field)
			}
			out[key] = properties
			continue
		}
		if key != "description" && key != "format" && key != "default" && !strings.HasPrefix(key, "x-kubernetes-") {
			out[key] = strict(child)
		}
	}
	_, fields := at["properties"]
	_, open := at["additionalProperties"]
	if keeps, _ := at["x-kubernetes-preserve-unknown-fields"].(bool); fields && !open && !keeps {
		out["additionalProperties"] = false
	}
	if isNumberToo(at) {
		delete(out, "pattern")
		out["type"] = []any{"string", "number"}
	}
	return out
}

// isNumberToo says that a text may be written as a number: a port, or a quantity.
func isNumberToo(schema map[string]any) bool {
	description, _ := schema["description"].(string)
	intOrString, _ := schema["x-kubernetes-int-or-string"].(bool)
	return intOrString || schema["format"] == "int-or-string" || strings.HasPrefix(description, "Quantity is a fixed-point")
}
