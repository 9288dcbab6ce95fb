package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
)

// The table stands between these lines of README.md.
const (
	tableBegin = "<!-- values: made by chartdocs from values.yaml -->\n"
	tableEnd   = "<!-- end of values -->\n"
)

// generate makes the files of a chart, by name.
func generate(chart fs.FS) (map[string][]byte, error) {
	values, err := fs.ReadFile(chart, "values.yaml")
	if err != nil {
		return nil, fmt.Errorf("read values: %w", err)
	}
	readme, err := fs.ReadFile(chart, "README.md")
	if err != nil {
		return nil, fmt.Errorf("read README: %w", err)
	}
	top, err := parse(values)
	if err != nil {
		return nil, err
	}
	schema, err := json.MarshalIndent(document(top), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the schema: %w", err)
	}
	before, rest, ok := bytes.Cut(readme, []byte(tableBegin))
	if !ok {
		return nil, fmt.Errorf("README.md has no line %q", tableBegin)
	}
	_, after, ok := bytes.Cut(rest, []byte(tableEnd))
	if !ok {
		return nil, fmt.Errorf("README.md has no line %q", tableEnd)
	}
	return map[string][]byte{
		"values.schema.json": append(schema, '\n'),
		"README.md":          bytes.Join([][]byte{before, []byte(tableBegin), table(top), []byte(tableEnd), after}, nil),
	}, nil
}
