package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// good is a document without problems; each case breaks one thing of it.
func good(t *testing.T) map[string]any {
	t.Helper()
	raw, err := os.ReadFile("testdata/good.json")
	require.NoError(t, err)
	var doc map[string]any
	require.NoError(t, json.Unmarshal(raw, &doc))
	return doc
}

func TestLint(t *testing.T) {
	t.Parallel()

	operation := func(doc map[string]any) map[string]any {
		return object(object(object(doc["paths"])["/things/{id}"])["get"])
	}
	property := func(doc map[string]any) map[string]any {
		return object(object(object(object(object(doc["components"])["schemas"])["Thing"])["properties"])["email"])
	}
	tests := map[string]struct {
		breakIt func(doc map[string]any)
		want    string
	}{
		"a good document has no problems": {func(map[string]any) {}, ""},
		"a summary is missing":            {func(d map[string]any) { delete(operation(d), "summary") }, "GET /things/{id}: no summary"},
		"a description is missing":        {func(d map[string]any) { delete(operation(d), "description") }, "GET /things/{id}: no description"},
		"401 is missing": {
			func(d map[string]any) { operation(d)["security"] = []any{map[string]any{"bearer": []any{}}} },
			"needs a token, but has no answer 401",
		},
		"a tag is not declared":       {func(d map[string]any) { delete(d, "tags") }, `tag "things" is not declared`},
		"a path parameter is missing": {func(d map[string]any) { delete(operation(d), "parameters") }, `path parameter "id" is not declared`},
		"no error answer":             {func(d map[string]any) { delete(object(operation(d)["responses"]), "404") }, "no error answer"},
		"a property has no sentence":  {func(d map[string]any) { delete(property(d), "description") }, "schema Thing.email: no description"},
		"a property has no example":   {func(d map[string]any) { delete(property(d), "examples") }, "schema Thing.email: no example"},
		"an example of a property is not valid": {
			func(d map[string]any) { property(d)["examples"] = []any{"not an address"} },
			"/components/schemas/Thing/properties/email: example 0 is not valid",
		},
		"an example of an answer is not valid": {
			func(d map[string]any) {
				answer := object(object(operation(d)["responses"])["200"])
				object(object(answer["content"])["application/json"])["example"] = map[string]any{"email": 7}
			},
			"example is not valid",
		},
		"it is no OpenAPI document": {func(d map[string]any) { delete(d, "info") }, "document: "},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := good(t)
			tt.breakIt(doc)
			var raw bytes.Buffer
			require.NoError(t, json.NewEncoder(&raw).Encode(doc))

			problems, err := lint(raw.Bytes())
			require.NoError(t, err)
			if tt.want == "" {
				require.Empty(t, problems)
				return
			}
			require.Contains(t, strings.Join(problems, "\n"), tt.want)
		})
	}
}
