package config

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Variable describes one environment variable of a configuration.
type Variable struct {
	Name     string
	Type     string // what a value looks like: "text", "duration", "whole number" …
	Default  string // empty when there is none
	Required bool
	Secret   bool // never shown; best given as NAME_FILE
	Doc      string

	field reflect.StructField
}

// Describe lists the variables of T in the order of its fields.
func Describe[T any]() []Variable { return describe(reflect.TypeFor[T]()) }

// WriteTable writes the variables as a table for a terminal.
func WriteTable(w io.Writer, variables []Variable) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "VARIABLE\tTYPE\tDEFAULT\tWHAT IT IS")
	for _, v := range variables {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", v.Name, v.Type, v.fallback(), v.Doc)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write the configuration table: %w", err)
	}
	return nil
}

func (v Variable) fallback() string {
	if v.Default == "" && v.Required {
		return "(required)"
	}
	return v.Default
}

// describe walks a type as the parser does: into every struct that has no variable of its own.
func describe(t reflect.Type) []Variable {
	var variables []Variable
	walk(t, "", func(v Variable) {
		same := func(known Variable) bool { return known.Name == v.Name }
		if !slices.ContainsFunc(variables, same) {
			variables = append(variables, v)
		}
	})
	return variables
}

func walk(t reflect.Type, prefix string, visit func(Variable)) {
	if t.Kind() != reflect.Struct {
		return
	}
	for field := range t.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("env"), ",")
		switch {
		case !field.IsExported() || name == "-":
		case name != "":
			visit(variable(field, prefix+name, strings.Split(options, ",")))
		case field.Type.Kind() == reflect.Struct:
			walk(field.Type, prefix+field.Tag.Get("envPrefix"), visit)
		}
	}
}

func variable(field reflect.StructField, name string, options []string) Variable {
	return Variable{
		Name:     name,
		Type:     typeName(field.Type),
		Default:  field.Tag.Get("envDefault"),
		Required: slices.Contains(options, "required") || slices.Contains(options, "notEmpty"),
		Secret:   field.Tag.Get("secret") == "true",
		Doc:      field.Tag.Get("doc"),
		field:    field,
	}
}

func typeName(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "duration"
	case t.PkgPath() == "log/slog" && t.Name() == "Level":
		return "log level"
	case t.PkgPath() == "net/url":
		return "URL"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeName(t.Elem())
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "whole number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "positive number"
	case reflect.Float32, reflect.Float64:
		return "number"
	case reflect.Slice:
		return "list"
	case reflect.Map:
		return "map"
	default:
		return "text"
	}
}

// article makes a type's name part of a sentence.
func article(typeName string) string {
	switch typeName {
	case "duration":
		return `a duration such as "30s" or "5m"`
	case "boolean":
		return `"true" or "false"`
	case "log level":
		return `one of debug, info, warn, error`
	case "list":
		return "a list of values separated by commas"
	case "map":
		return "a list of key:value pairs separated by commas"
	case "text":
		return "in the form that its description gives"
	}
	return "a " + typeName
}
