package arch_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/test/arch"
)

// freeForm are the members of requests that may hold any JSON. Each needs bounds of its own in the domain: its size, its depth, and that its
// numbers come back as they were sent, since jsonb writes eight characters out as megabytes (services/notifications/internal/broadcasts).
// Of a form for tokens what is not known is ignored (RFC 6749 section 3.2).
var freeForm = []string{"NewSend.data", "TokenForm"}

// TestFreeForm finds the next place where a client may send any JSON.
func TestFreeForm(t *testing.T) {
	t.Parallel()
	w, err := arch.Open()
	require.NoError(t, err)
	raw, err := os.ReadFile(filepath.Join(w.Dir, "docs/openapi.json"))
	require.NoError(t, err)
	var doc map[string]any
	require.NoError(t, json.Unmarshal(raw, &doc))
	schemas := at(doc, "components", "schemas")
	seen := map[string]bool{}
	var found []string
	for _, item := range at(doc, "paths") {
		for _, operation := range item.(map[string]any) {
			o, _ := operation.(map[string]any)
			for _, media := range at(o, "requestBody", "content") {
				found = append(found, anyIn(schemas, "body", at(media, "schema"), seen)...)
			}
		}
	}
	slices.Sort(found)
	require.Equal(t, freeForm, found)
}

func at(v any, path ...string) map[string]any {
	object, _ := v.(map[string]any)
	for _, name := range path {
		object, _ = object[name].(map[string]any)
	}
	return object
}

// anyIn lists what of a schema may be anything: a schema without a type, or an object with members of any kind.
func anyIn(schemas map[string]any, name string, schema map[string]any, seen map[string]bool) (found []string) {
	if ref, ok := schema["$ref"].(string); ok {
		name = filepath.Base(ref)
		if seen[name] {
			return nil
		}
		seen[name], schema = true, at(schemas, name)
	}
	more, typed := schema["additionalProperties"].(map[string]any)
	if schema["type"] == nil || schema["additionalProperties"] == true || typed && len(more) == 0 {
		found = append(found, name)
	}
	for member, s := range at(schema, "properties") {
		found = append(found, anyIn(schemas, name+"."+member, at(s), seen)...)
	}
	if typed && len(more) > 0 {
		found = append(found, anyIn(schemas, name+".*", more, seen)...)
	}
	if items := at(schema, "items"); items != nil {
		found = append(found, anyIn(schemas, name+"[]", items, seen)...)
	}
	return found
}
