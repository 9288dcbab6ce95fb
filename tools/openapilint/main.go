// Command openapilint checks an OpenAPI 3.1 document: that it is one, that each operation tells a reader what they
// need (summary, description, tag, examples, errors, security), and that every example is valid for its schema.
//
//	openapilint docs/openapi.json
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: openapilint <openapi.json>")
		os.Exit(2)
	}
	found, err := run(os.Stdout, os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "openapilint:", err)
		os.Exit(2)
	}
	if found {
		os.Exit(1)
	}
}

// run prints what is wrong with the document, a line each, and reports whether anything was.
func run(w io.Writer, path string) (bool, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return false, fmt.Errorf("read document: %w", err)
	}
	problems, err := lint(raw)
	if err != nil {
		return false, err
	}
	for _, p := range problems {
		fmt.Fprintln(w, p)
	}
	return len(problems) > 0, nil
}

// lint returns the document's problems, sorted and each once. An error means that it could not be read at all.
func lint(raw []byte) ([]string, error) {
	var doc map[string]any
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("read document: %w", err)
	}
	problems, err := specification(raw)
	if err != nil {
		return nil, err
	}
	problems = append(problems, rules(doc)...)
	examples, err := examples(doc)
	if err != nil {
		return nil, err
	}
	problems = append(problems, examples...)
	slices.Sort(problems)
	return slices.Compact(problems), nil
}

// specification validates the document against the OpenAPI 3.1 schema.
func specification(raw []byte) ([]string, error) {
	document, err := libopenapi.NewDocument(raw)
	if err != nil {
		return nil, fmt.Errorf("read document: %w", err)
	}
	v, errs := validator.NewValidator(document)
	if len(errs) > 0 {
		return nil, fmt.Errorf("read document: %w", errs[0])
	}
	_, failures := v.ValidateDocument()
	var problems []string
	for _, f := range failures {
		problems = append(problems, "document: "+f.Message+": "+f.Reason)
		for _, s := range f.SchemaValidationErrors {
			problems = append(problems, "document: "+s.FieldPath+": "+s.Reason)
		}
	}
	return problems, nil
}
