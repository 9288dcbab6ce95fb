package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const location = "openapi.json"

// examples validates every example of the document against the schema that it stands beside.
func examples(doc map[string]any) ([]string, error) {
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	if err := compiler.AddResource(location, doc); err != nil {
		return nil, fmt.Errorf("read document: %w", err)
	}
	w := &exampleWalker{compiler: compiler}
	w.walk("", doc)
	return w.problems, nil
}

type exampleWalker struct {
	compiler *jsonschema.Compiler
	problems []string
}

// walk visits every object of the document. An example is `example` or `examples` beside a `schema` (a parameter or a
// media type), or a list `examples` inside a schema.
func (w *exampleWalker) walk(pointer string, v any) {
	switch v := v.(type) {
	case []any:
		for i, item := range v {
			w.walk(pointer+"/"+strconv.Itoa(i), item)
		}
	case map[string]any:
		w.object(pointer, v)
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if key == "example" || (key == "examples" && !underProperties(pointer)) {
				continue
			}
			w.walk(pointer+"/"+escape(key), v[key])
		}
	}
}

func (w *exampleWalker) object(pointer string, v map[string]any) {
	if underProperties(pointer) {
		return
	}
	if v["schema"] != nil {
		if example, ok := v["example"]; ok {
			w.validate(pointer+"/schema", "example", example)
		}
		for name, example := range object(v["examples"]) {
			if value, ok := object(example)["value"]; ok {
				w.validate(pointer+"/schema", "example "+name, value)
			}
		}
		return
	}
	for i, example := range list(v["examples"]) {
		w.validate(pointer, "example "+strconv.Itoa(i), example)
	}
}

func (w *exampleWalker) validate(pointer, name string, example any) {
	schema, err := w.compiler.Compile(location + "#" + pointer)
	if err != nil {
		w.problems = append(w.problems, fmt.Sprintf("%s: not a schema: %v", pointer, err))
		return
	}
	if err := schema.Validate(example); err != nil {
		w.problems = append(w.problems, fmt.Sprintf("%s: %s is not valid: %s", pointer, name, oneLine(err)))
	}
}

// underProperties tells a schema's `properties` object, whose keys are names of fields, from a schema.
func underProperties(pointer string) bool { return strings.HasSuffix(pointer, "/properties") }

func escape(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}

func oneLine(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}
