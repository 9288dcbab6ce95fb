// Package config turns an environment into a typed configuration, once, at start.
//
// A configuration is a struct whose fields carry tags:
//
//	Addr string `env:"HTTP_ADDR" envDefault:":8080" doc:"Address the service listens on."`
//	Key  string `env:"SECRET_KEY,required" secret:"true" doc:"Key that other keys are derived from."`
//
// Any variable KEY can come from a file named by KEY_FILE, which is how secrets are mounted. An empty value
// means "not set". Every problem is reported at once, one sentence each, and never repeats a value.
package config

import (
	"errors"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"
)

// Source is an environment: variable names and their values.
type Source map[string]string

// Environ returns the environment of the process.
func Environ() Source {
	src := make(Source)
	for _, entry := range os.Environ() {
		if key, value, ok := strings.Cut(entry, "="); ok {
			src[key] = value
		}
	}
	return src
}

// With returns a copy of s in which the given variables replace those of the same name.
func (s Source) With(variables map[string]string) Source {
	merged := make(Source, len(s)+len(variables))
	maps.Copy(merged, s)
	maps.Copy(merged, variables)
	return merged
}

// Validator is a configuration with rules that no single field can express. Load calls it for the configuration
// and for every struct inside it; it reports what it finds with Problemf, joined by errors.Join.
type Validator interface{ Validate() error }

// Load reads a T from src. Its error is an *Error that lists every problem found.
func Load[T any](src Source) (T, error) {
	var cfg T
	variables := describe(reflect.TypeFor[T]())
	environment, problems := resolve(src, variables)
	problems = append(problems, check(environment, variables)...)
	if err := env.ParseWithOptions(&cfg, env.Options{Environment: environment}); err != nil && len(problems) == 0 {
		problems = append(problems, Problem{Reason: "the configuration cannot be read: " + err.Error()})
	}
	problems = append(problems, validate(reflect.ValueOf(&cfg), problems)...)
	if len(problems) > 0 {
		return cfg, &Error{Problems: problems}
	}
	return cfg, nil
}

// validate runs every Validate from the inside out. A rule about a variable that already has a problem says
// nothing new, and a promoted method says the same thing twice: both are dropped.
func validate(ptr reflect.Value, known []Problem) []Problem {
	var found []Problem
	for _, err := range validators(ptr) {
		for _, p := range problemsOf(err) {
			reported := func(k Problem) bool { return k.Variable != "" && strings.TrimSuffix(k.Variable, "_FILE") == p.Variable }
			if slices.ContainsFunc(known, reported) || slices.Contains(found, p) {
				continue
			}
			found = append(found, p)
		}
	}
	return found
}

func validators(ptr reflect.Value) []error {
	var errs []error
	if value := ptr.Elem(); value.Kind() == reflect.Struct {
		for i := range value.NumField() {
			if field := value.Field(i); value.Type().Field(i).IsExported() && field.Kind() == reflect.Struct {
				errs = append(errs, validators(field.Addr())...)
			}
		}
	}
	if v, ok := reflect.TypeAssert[Validator](ptr); ok {
		errs = append(errs, v.Validate())
	}
	return errs
}

func problemsOf(err error) []Problem {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var problems []Problem
		for _, part := range joined.Unwrap() {
			problems = append(problems, problemsOf(part)...)
		}
		return problems
	}
	if p, ok := errors.AsType[Problem](err); ok {
		return []Problem{p}
	}
	return []Problem{{Reason: err.Error()}}
}
