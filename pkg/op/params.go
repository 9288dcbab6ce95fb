package op

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// param is a field of an input or output struct that stands outside the body.
type param struct {
	in       string // "path", "query", "header" or "cookie"
	name     string
	required bool
	index    []int
}

// paramsOf lists the fields of a huma struct that stand outside the body, those of embedded structs included.
func paramsOf(t reflect.Type) []param {
	var out []param
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous && f.Type.Kind() == reflect.Struct {
			for _, p := range paramsOf(f.Type) {
				p.index = append([]int{i}, p.index...)
				out = append(out, p)
			}
			continue
		}
		for _, in := range []string{"path", "query", "header", "cookie"} {
			if tag := f.Tag.Get(in); tag != "" {
				name, _, _ := strings.Cut(tag, ",")
				required := in == "path" || f.Tag.Get("required") == "true"
				out = append(out, param{in: in, name: name, required: required, index: []int{i}})
			}
		}
	}
	return out
}

// cookiesOf are the names of the cookies that a request has fields for.
func cookiesOf(t reflect.Type) []string {
	var out []string
	for _, p := range paramsOf(t) {
		if p.in == "cookie" {
			out = append(out, p.name)
		}
	}
	return out
}

// pathParam answers a policy's question for the owner's id from a decoded input.
func pathParam(v reflect.Value, params []param, name string) string {
	for _, p := range params {
		if p.in == "path" && p.name == name {
			return textOf(v.FieldByIndex(p.index))
		}
	}
	return ""
}

// textOf is a parameter as it stands in a URL or a field; empty for the zero value, which is not sent.
func textOf(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	if v.IsZero() {
		return ""
	}
	switch x := v.Interface().(type) {
	case time.Time:
		return x.UTC().Format(time.RFC3339Nano)
	case []string:
		return strings.Join(x, ",")
	case fmt.Stringer:
		return x.String()
	default:
		return fmt.Sprint(x)
	}
}
