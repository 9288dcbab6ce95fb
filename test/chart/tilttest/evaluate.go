package tilttest

import (
	"fmt"
	"path/filepath"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
	"go.starlark.net/syntax"
)

// Call is one call of a builtin: its arguments by name, as Go values.
type Call struct {
	Name      string
	Arguments map[string]any
}

// Strings returns an argument that is a list of strings.
func (c Call) Strings(name string) []string {
	list, ok := c.Arguments[name].([]any)
	if !ok {
		return nil
	}
	texts := make([]string, 0, len(list))
	for _, item := range list {
		texts = append(texts, fmt.Sprint(item))
	}
	return texts
}

// String returns an argument as text; one that was left out is empty.
func (c Call) String(name string) string {
	if c.Arguments[name] == nil {
		return ""
	}
	return fmt.Sprint(c.Arguments[name])
}

// Tiltfile is what to evaluate, and the world that it sees.
type Tiltfile struct {
	Path     string         // absolute
	Settings map[string]any // what config.parse returns: strings and lists of strings
	// Local answers the command of a call of local with its output.
	Local func(command []string) (string, error)
}

// Result is what a Tiltfile asked for.
type Result struct {
	Calls []Call
	// ResourceName is the function that names the resource of a workload.
	ResourceName func(workload string) (string, error)
}

// Of returns the calls of one builtin, in order.
func (r *Result) Of(name string) []Call {
	var calls []Call
	for _, c := range r.Calls {
		if c.Name == name {
			calls = append(calls, c)
		}
	}
	return calls
}

// dialect is Starlark as Tilt speaks it.
var dialect = &syntax.FileOptions{Set: true, GlobalReassign: true, TopLevelControl: true}

// evaluation is one run.
type evaluation struct {
	Tiltfile
	result  *Result
	defined map[string]bool // settings
	loaded  map[string]starlark.StringDict
}

// Evaluate runs a Tiltfile.
func Evaluate(file Tiltfile) (*Result, error) {
	e := &evaluation{
		Tiltfile: file, defined: map[string]bool{}, loaded: map[string]starlark.StringDict{},
		result: &Result{ResourceName: func(workload string) (string, error) { return workload, nil }},
	}
	_, err := e.run(file.Path)
	return e.result, err
}

func (e *evaluation) run(path string) (starlark.StringDict, error) {
	if globals, ok := e.loaded[path]; ok {
		return globals, nil
	}
	thread := &starlark.Thread{
		Name: path,
		Load: func(_ *starlark.Thread, name string) (starlark.StringDict, error) {
			return e.run(filepath.Join(filepath.Dir(path), name))
		},
	}
	globals, err := starlark.ExecFileOptions(dialect, thread, path, nil, e.predeclared())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	e.loaded[path] = globals
	return globals, nil
}

func (e *evaluation) predeclared() starlark.StringDict {
	names := starlark.StringDict{
		"struct":              starlark.NewBuiltin("struct", starlarkstruct.Make),
		"fail":                starlark.NewBuiltin("fail", fail),
		"TRIGGER_MODE_AUTO":   starlark.String("auto"),
		"TRIGGER_MODE_MANUAL": starlark.String("manual"),
	}
	modules := map[string]starlark.StringDict{"config": {"main_dir": starlark.String(filepath.Dir(e.Path))}, "v1alpha1": {}}
	for name, parameters := range signatures {
		builtin := starlark.NewBuiltin(name, e.record(parameters))
		if module, member, ok := cutModule(name); ok {
			modules[module][member] = builtin
			continue
		}
		names[name] = builtin
	}
	for name, members := range modules {
		names[name] = starlarkstruct.FromStringDict(starlark.String(name), members)
	}
	return names
}

func fail(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	var message string
	if err := starlark.UnpackPositionalArgs("fail", args, nil, 1, &message); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("fail: %s", message)
}
