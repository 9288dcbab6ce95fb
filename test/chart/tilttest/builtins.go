package tilttest

import (
	"errors"
	"fmt"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
)

// signatures are the builtins of Tilt that are known here, with their parameters in Tilt's order; a question mark says which may be left out.
var signatures = map[string]string{
	"allow_k8s_contexts": "contexts",
	"custom_build": "ref command deps tag? disable_push? skips_local_docker? live_update? match_in_env_vars? ignore? entrypoint? command_bat_val? " +
		"outputs_image_ref_to? command_bat? image_deps? env? dir?",
	"default_registry":   "host host_from_cluster? single_name?",
	"decode_yaml_stream": "yaml",
	"encode_yaml_stream": "objs",
	"k8s_resource": "workload? new_name? port_forwards? extra_pod_selectors? trigger_mode? resource_deps? objects? auto_init? pod_readiness? links? " +
		"labels? discovery_strategy?",
	"k8s_yaml":       "yaml allow_duplicates?",
	"link":           "url name?",
	"local":          "command quiet? command_bat? echo_off? env? dir? stdin?",
	"local_resource": "name cmd? deps? trigger_mode? resource_deps? ignore? auto_init? serve_cmd? cmd_bat? serve_cmd_bat? allow_parallel? links? labels? env? serve_env? readiness_probe? dir? serve_dir?",
	"port_forward":   "local_port container_port? name? link_path? host?",
	"watch_file":     "file_path",

	"workload_to_resource_function": "fn",

	"config.define_bool":        "name args? usage?",
	"config.define_string":      "name args? usage?",
	"config.define_string_list": "name args? usage?",
	"config.parse":              "",

	"v1alpha1.cmd":           "name labels? annotations? args? dir? env? readiness_probe? restart_on? start_on? disable_source?",
	"v1alpha1.start_on_spec": "ui_buttons?",
	"v1alpha1.ui_button":     "name labels? annotations? location? text? icon_name? icon_svg? disabled? requires_confirmation? inputs?",
}

func cutModule(name string) (module, member string, ok bool) { return strings.Cut(name, ".") }

type builtin = func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error)

// record returns the function that checks the arguments of a call, writes it down and answers it.
func (e *evaluation) record(signature string) builtin {
	parameters := strings.Fields(signature)
	return func(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		values := make([]starlark.Value, len(parameters))
		pairs := make([]any, 0, 2*len(parameters))
		for i, parameter := range parameters {
			pairs = append(pairs, parameter, &values[i])
		}
		if err := starlark.UnpackArgs(b.Name(), args, kwargs, pairs...); err != nil {
			return nil, err
		}
		given := starlark.StringDict{}
		call := Call{Name: b.Name(), Arguments: map[string]any{}}
		for i, parameter := range parameters {
			if values[i] == nil {
				continue
			}
			name := strings.TrimSuffix(parameter, "?")
			given[name], call.Arguments[name] = values[i], toGo(values[i])
		}
		e.result.Calls = append(e.result.Calls, call)
		return e.answer(thread, call, given)
	}
}

// answer is what a builtin returns, after it was written down.
func (e *evaluation) answer(thread *starlark.Thread, call Call, given starlark.StringDict) (starlark.Value, error) {
	switch call.Name {
	case "config.define_bool", "config.define_string", "config.define_string_list":
		e.defined[call.String("name")] = true
	case "config.parse":
		return e.settings()
	case "local":
		output, err := e.Local(call.Strings("command"))
		return starlark.String(output), err
	case "decode_yaml_stream":
		return decode(call.String("yaml"))
	case "encode_yaml_stream":
		return encode(call.Arguments["objs"])
	case "port_forward", "link", "v1alpha1.start_on_spec":
		return starlarkstruct.FromStringDict(starlark.String(call.Name), given), nil
	case "workload_to_resource_function":
		return starlark.None, e.nameResources(thread, given["fn"])
	}
	return starlark.None, nil
}

// settings answers config.parse; what was not defined cannot be set.
func (e *evaluation) settings() (starlark.Value, error) {
	settings := starlark.NewDict(len(e.Settings))
	for name, value := range e.Settings {
		if !e.defined[name] {
			return nil, fmt.Errorf("config.parse: %s is not defined", name)
		}
		v, err := fromGo(value)
		if err != nil {
			return nil, err
		}
		if err := settings.SetKey(starlark.String(name), v); err != nil {
			return nil, err
		}
	}
	return settings, nil
}

var errNoFunction = errors.New("workload_to_resource_function: fn is no function")

func (e *evaluation) nameResources(thread *starlark.Thread, value starlark.Value) error {
	fn, ok := value.(starlark.Callable)
	if !ok {
		return errNoFunction
	}
	e.result.ResourceName = func(workload string) (string, error) {
		id := starlarkstruct.FromStringDict(starlark.String("K8sObjectID"), starlark.StringDict{"name": starlark.String(workload)})
		name, err := starlark.Call(thread, fn, starlark.Tuple{id}, nil)
		if err != nil {
			return "", err
		}
		text, _ := starlark.AsString(name)
		return text, nil
	}
	return nil
}
