package tilttest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
	"go.yaml.in/yaml/v3"
)

// toGo turns a value into strings, int64, bool, []any and map[string]any; functions are their name.
func toGo(value starlark.Value) any {
	switch v := value.(type) {
	case starlark.NoneType:
		return nil
	case starlark.String:
		return string(v)
	case starlark.Bool:
		return bool(v)
	case starlark.Int:
		n, _ := v.Int64()
		return n
	case *starlark.Dict:
		object := map[string]any{}
		for _, item := range v.Items() {
			key, _ := starlark.AsString(item[0])
			object[key] = toGo(item[1])
		}
		return object
	case *starlarkstruct.Struct:
		object := map[string]any{}
		for _, name := range v.AttrNames() {
			member, err := v.Attr(name)
			if err == nil {
				object[name] = toGo(member)
			}
		}
		return object
	case starlark.Iterable:
		list := []any{}
		for item := range starlark.Elements(v) {
			list = append(list, toGo(item))
		}
		return list
	default:
		return value.String()
	}
}

// fromGo is the way back, for what YAML holds.
func fromGo(value any) (starlark.Value, error) {
	switch v := value.(type) {
	case nil:
		return starlark.None, nil
	case string:
		return starlark.String(v), nil
	case bool:
		return starlark.Bool(v), nil
	case int:
		return starlark.MakeInt(v), nil
	case float64:
		return starlark.Float(v), nil
	case []string:
		list := make([]any, 0, len(v))
		for _, item := range v {
			list = append(list, item)
		}
		return fromGo(list)
	case []any:
		items := make([]starlark.Value, 0, len(v))
		for _, item := range v {
			converted, err := fromGo(item)
			if err != nil {
				return nil, err
			}
			items = append(items, converted)
		}
		return starlark.NewList(items), nil
	case map[string]any:
		dict := starlark.NewDict(len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			converted, err := fromGo(v[key])
			if err != nil {
				return nil, err
			}
			if err := dict.SetKey(starlark.String(key), converted); err != nil {
				return nil, err
			}
		}
		return dict, nil
	default:
		return nil, fmt.Errorf("%T has no place in Starlark", value)
	}
}

// decode reads the documents of a YAML stream; empty ones are left out, as Tilt does.
func decode(stream string) (starlark.Value, error) {
	decoder := yaml.NewDecoder(bytes.NewReader([]byte(stream)))
	documents := []any{}
	for {
		var document any
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return fromGo(documents)
		}
		if err != nil {
			return nil, fmt.Errorf("decode_yaml_stream: %w", err)
		}
		if document != nil {
			documents = append(documents, document)
		}
	}
}

// encode writes a list of objects as a YAML stream.
func encode(objects any) (starlark.Value, error) {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	list, _ := objects.([]any)
	for _, object := range list {
		if err := encoder.Encode(object); err != nil {
			return nil, fmt.Errorf("encode_yaml_stream: %w", err)
		}
	}
	return starlark.String(out.String()), encoder.Close()
}
