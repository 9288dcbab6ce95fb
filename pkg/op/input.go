package op

import (
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/strictjson"
)

// input reads the requests of one operation from NATS. There a request is one JSON object: its parameters by the names of their fields,
// and Body; or the struct as it stands, when it has neither. The rules are those of HTTP, from the same declaration: what is refused
// there is refused here, with the same kind, code and fields.
type input[I any] struct {
	registry huma.Registry
	params   []natsParam
	body     *huma.Schema // of the member Body, or of the whole object when there is none; nil: no body
	whole    bool         // the object is the body
}

type natsParam struct {
	param
	member string // its name in the object
	schema *huma.Schema
}

const memberBody = "Body"

func newInput[I any]() input[I] {
	t, registry := reflect.TypeFor[I](), newRegistry()
	in := input[I]{registry: registry}
	for _, p := range paramsOf(t) {
		f := t.FieldByIndex(p.index)
		in.params = append(in.params, natsParam{param: p, member: f.Name, schema: huma.SchemaFromField(registry, f, "")})
	}
	f, hasBody := t.FieldByName(memberBody)
	switch {
	case hasBody:
		in.body = huma.SchemaFromField(registry, f, t.Name()+f.Name)
	case len(in.params) == 0:
		in.body, in.whole = registry.Schema(t, true, "Request"), true
	}
	if in.body != nil {
		mustBeJudgeable(registry, in.body)
	}
	return in
}

// decode fills the struct. Its error is told by validate, which runs after authorization.
func (in input[I]) decode(data []byte) (*I, error) {
	out := new(I)
	return out, strictjson.Unmarshal(data, out)
}

// validate judges the bytes that decode read into out, and fills in defaults.
func (in input[I]) validate(data []byte, out *I, undecoded error) error {
	var tree any
	if err := strictjson.Unmarshal(data, &tree); err != nil {
		return errs.New(errs.Malformed, "malformed_body", "The request cannot be read: it must be one complete JSON document in UTF-8.").
			WithCause(err)
	}
	v, res := reflect.ValueOf(out).Elem(), &huma.ValidateResult{}
	object, ok := tree.(map[string]any)
	switch {
	case !ok:
		res.Add(at("body"), nil, "expected object")
	case in.whole:
		in.judge(in.body, at("body"), tree, res)
	default:
		in.validateParts(object, v, undecoded, res)
	}
	if len(res.Errors) == 0 && undecoded != nil { // such as a date that only the schema finds right
		res.Add(at("body"), nil, "not valid")
	}
	if len(res.Errors) > 0 {
		return invalid(res.Errors)
	}
	return setDefaults(v)
}

func (in input[I]) judge(s *huma.Schema, at *huma.PathBuffer, value any, res *huma.ValidateResult) {
	huma.Validate(in.registry, s, at, huma.ModeWriteToServer, fit(in.registry, s, value), res)
}

func (in input[I]) validateParts(object map[string]any, v reflect.Value, undecoded error, res *huma.ValidateResult) {
	for _, p := range in.params {
		value := object[p.member]
		delete(object, p.member)
		switch { // the caller's client writes those that were not given too, as zero values or null
		case !isZero(value) && (undecoded != nil || !v.FieldByIndex(p.index).IsZero()):
			in.judge(p.schema, at(p.in, p.name), value, res)
		case p.required:
			res.Add(at(p.in, p.name), nil, "required "+p.in+" parameter is missing")
		}
	}
	if value, ok := object[memberBody]; in.body != nil && ok {
		delete(object, memberBody)
		in.judge(in.body, at("body"), value, res)
	} else if in.body != nil {
		res.Add(at("body"), nil, "required body is missing")
	}
	for name := range object {
		res.Add(at(name), nil, "unexpected property")
	}
}

func at(words ...string) *huma.PathBuffer {
	path := huma.NewPathBuffer(nil, 0)
	for _, w := range words {
		path.Push(w)
	}
	return path
}

func isZero(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case string:
		return value == ""
	case bool:
		return !value
	case json.Number:
		return value == "0"
	case []any:
		return len(value) == 0
	}
	return false
}

// setDefaults gives the parameters and members that were left out the values of their default tags, as huma does.
func setDefaults(v reflect.Value) error {
	for i := range v.NumField() {
		f, field := v.Type().Field(i), v.Field(i)
		if !f.IsExported() {
			continue
		}
		text := f.Tag.Get("default")
		switch {
		case text != "" && !field.IsZero():
		case text != "" && field.Kind() == reflect.String:
			field.SetString(text)
		case text != "":
			if err := json.Unmarshal([]byte(text), field.Addr().Interface()); err != nil {
				return err
			}
		case field.Kind() == reflect.Struct:
			if err := setDefaults(field); err != nil {
				return err
			}
		}
	}
	return nil
}
