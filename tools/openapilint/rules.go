package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	operationID = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	pathParam   = regexp.MustCompile(`\{([^}]+)\}`)
	methods     = []string{"get", "put", "post", "delete", "patch", "head", "options"}
)

// rules returns what a reader of the reference would miss.
func rules(doc map[string]any) []string {
	l := &linter{ids: map[string]string{}, tags: map[string]bool{}, shared: object(object(doc["components"])["responses"])}
	for _, tag := range list(doc["tags"]) {
		name := text(object(tag)["name"])
		l.tags[name] = true
		l.want(text(object(tag)["description"]) != "", "tag "+name, "no description")
	}
	for path, item := range object(doc["paths"]) {
		for _, method := range methods {
			if operation, ok := object(item)[method].(map[string]any); ok {
				l.operation(strings.ToUpper(method)+" "+path, path, operation)
			}
		}
	}
	for name, schema := range object(object(doc["components"])["schemas"]) {
		l.properties("schema "+name, object(schema))
	}
	return l.problems
}

type linter struct {
	problems []string
	ids      map[string]string
	tags     map[string]bool
	shared   map[string]any // components.responses
}

func (l *linter) want(ok bool, where, problem string) {
	if !ok {
		l.problems = append(l.problems, where+": "+problem)
	}
}

func (l *linter) operation(where, path string, o map[string]any) {
	id := text(o["operationId"])
	l.want(operationID.MatchString(id), where, fmt.Sprintf("operationId %q is not kebab-case", id))
	l.want(l.ids[id] == "", where, fmt.Sprintf("operationId %q is also that of %s", id, l.ids[id]))
	l.ids[id] = where
	l.want(text(o["summary"]) != "", where, "no summary")
	l.want(text(o["description"]) != "", where, "no description")
	l.want(len(list(o["security"])) == 0 || object(o["responses"])["401"] != nil, where, "needs a token, but has no answer 401")
	l.want(len(list(o["tags"])) > 0, where, "no tag")
	for _, tag := range list(o["tags"]) {
		l.want(l.tags[text(tag)], where, fmt.Sprintf("tag %q is not declared", tag))
	}
	l.parameters(where, path, list(o["parameters"]))
	l.responses(where, object(o["responses"]))
}

func (l *linter) parameters(where, path string, parameters []any) {
	inPath := map[string]bool{}
	for _, p := range parameters {
		name, in := text(object(p)["name"]), text(object(p)["in"])
		l.want(text(object(p)["description"]) != "", where, fmt.Sprintf("parameter %q has no description", name))
		if in == "path" {
			inPath[name] = true
		}
	}
	for _, match := range pathParam.FindAllStringSubmatch(path, -1) {
		l.want(inPath[match[1]], where, fmt.Sprintf("path parameter %q is not declared", match[1]))
	}
}

func (l *linter) responses(where string, responses map[string]any) {
	var success, problem bool
	for status, response := range responses {
		r := l.resolved(object(response))
		l.want(text(r["description"]) != "", where, "answer "+status+" has no description")
		switch status[0] {
		case '1', '2', '3':
			success = true
		case '4', '5', 'd':
			content := object(r["content"])
			l.want(content["application/problem+json"] != nil, where, "answer "+status+" is not application/problem+json")
			problem = true
		}
	}
	l.want(success, where, "no answer for success")
	l.want(problem, where, "no error answer")
}

// resolved is the response itself, or the shared one that it refers to.
func (l *linter) resolved(response map[string]any) map[string]any {
	if name, ok := strings.CutPrefix(text(response["$ref"]), "#/components/responses/"); ok {
		return object(l.shared[name])
	}
	return response
}

// properties asks each property of a schema for a sentence and, where it is a plain value that is always there, an
// example. An optional one may leave it out so that it stays out of the example of the whole.
func (l *linter) properties(where string, schema map[string]any) {
	required := list(schema["required"])
	for name, property := range object(schema["properties"]) {
		p := object(property)
		if name == "$schema" || p["$ref"] != nil {
			continue
		}
		at := where + "." + name
		l.want(text(p["description"]) != "", at, "no description")
		switch kind(p["type"]) {
		case "string", "integer", "number":
			shown := p["examples"] != nil || p["enum"] != nil || p["const"] != nil || p["default"] != nil
			l.want(shown || !slices.Contains(required, any(name)), at, "no example")
		case "object":
			l.properties(at, p)
		case "array":
			l.properties(at+"[]", object(p["items"]))
		}
	}
}

// kind is the first type that is not null: 3.1 writes a nullable string as ["string", "null"].
func kind(v any) string {
	for _, t := range list(v) {
		if text(t) != "null" {
			return text(t)
		}
	}
	return text(v)
}

func object(v any) map[string]any { m, _ := v.(map[string]any); return m }

func list(v any) []any { s, _ := v.([]any); return s }

func text(v any) string { s, _ := v.(string); return s }
