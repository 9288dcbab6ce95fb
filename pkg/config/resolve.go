package config

import (
	"errors"
	"io/fs"
	"os"
	"reflect"
	"strings"

	"github.com/caarlos0/env/v11"
)

// resolve returns the part of src that has values, with every KEY_FILE replaced by what the file holds.
func resolve(src Source, variables []Variable) (map[string]string, []Problem) {
	environment := make(map[string]string, len(src))
	for key, value := range src {
		if value != "" {
			environment[key] = value
		}
	}
	var problems []Problem
	for _, v := range variables {
		path, ok := environment[v.Name+"_FILE"]
		if !ok {
			continue
		}
		if _, both := environment[v.Name]; both {
			problems = append(problems, Problem{v.Name, "and " + v.Name + "_FILE are both set: set one of them."})
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			problems = append(problems, Problem{v.Name + "_FILE", "names a file that cannot be read: " + reason(err) + "."})
			environment[v.Name] = ""
			continue
		}
		if value := strings.TrimRight(string(content), "\r\n"); value != "" {
			environment[v.Name] = value
			continue
		}
		problems = append(problems, Problem{v.Name + "_FILE", "names a file that is empty."})
		environment[v.Name] = ""
	}
	return environment, problems
}

func reason(err error) string {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err.Error()
	}
	return "unexpected error"
}

// check reads each variable by itself, because the parser names Go fields where a person needs the variable,
// and repeats values that may be secret.
func check(environment map[string]string, variables []Variable) []Problem {
	var problems []Problem
	for _, v := range variables {
		value, set := environment[v.Name]
		switch {
		case set && value == "": // its file already has a problem
		case !set && v.Required && v.Default == "":
			problems = append(problems, Problem{v.Name, "is required and not set."})
		case set && !parses(v, value):
			problems = append(problems, Problem{v.Name, "must be " + article(v.Type) + "."})
		}
	}
	return problems
}

func parses(v Variable, value string) bool {
	field := v.field
	single := reflect.New(reflect.StructOf([]reflect.StructField{{Name: field.Name, Type: field.Type, Tag: field.Tag}}))
	own, _, _ := strings.Cut(field.Tag.Get("env"), ",")
	err := env.ParseWithOptions(single.Interface(), env.Options{Environment: map[string]string{own: value}})
	return err == nil
}
