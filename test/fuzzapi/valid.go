package fuzzapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// invalid says why the contract forbids a request, or "". It reads with nothing that the services read with.
func (c *Contract) invalid(o *Operation, r *Request, at *url.URL) string {
	for _, reason := range []string{invalidQuery(o, at.RawQuery), invalidPath(o, at), invalidFields(o, r), invalidBody(o, r)} {
		if reason != "" {
			return reason
		}
	}
	return ""
}

func invalidQuery(o *Operation, raw string) string {
	seen := map[string]bool{}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err1 := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		i := slices.IndexFunc(o.Params, func(p Param) bool { return p.In == "query" && p.Name == name })
		switch {
		case strings.Contains(pair, ";"):
			return "its query has a semicolon"
		case err1 != nil || err2 != nil || !clean(name) || !clean(value):
			return "its query is badly escaped"
		case i < 0:
			return fmt.Sprintf("it has the parameter %q, which there is not", name)
		case seen[name]:
			return fmt.Sprintf("it has the parameter %q twice", name)
		case !o.Params[i].takes(value):
			return fmt.Sprintf("its parameter %q is not valid", name)
		}
		seen[name] = true
	}
	for _, p := range o.Params {
		if p.In == "query" && p.Required && !seen[p.Name] {
			return fmt.Sprintf("it lacks the parameter %q", p.Name)
		}
	}
	return ""
}

// checkAddress is the format idn-email (RFC 6531), which the validator takes everything for: one local part and one domain, neither with what
// would have to be quoted.
func checkAddress(v any) error {
	s, ok := v.(string)
	if !ok {
		return nil
	}
	local, domain, _ := strings.Cut(strings.TrimSpace(s), "@")
	if local == "" || domain == "" || !clean(s) || strings.ContainsAny(local+domain, "@\"<>(),:;\\[]") {
		return errors.New("it is no address")
	}
	if strings.ContainsFunc(local+domain, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return errors.New("it is no address")
	}
	return nil
}

func clean(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

func invalidPath(o *Operation, at *url.URL) string {
	got := strings.Split(at.EscapedPath(), "/")
	for i, word := range strings.Split(o.Path, "/") {
		if !strings.HasPrefix(word, "{") {
			continue
		}
		value, err := url.PathUnescape(got[i])
		if err != nil || !clean(value) {
			return "its path is badly escaped"
		}
		for _, p := range o.Params {
			if p.In == "path" && "{"+p.Name+"}" == word && !p.takes(value) {
				return fmt.Sprintf("its parameter %q is not valid", p.Name)
			}
		}
	}
	return ""
}

func invalidFields(o *Operation, r *Request) string {
	for _, p := range o.Params {
		if p.In != "header" {
			continue
		}
		values := r.header(p.Name)
		switch {
		case len(values) > 1:
			return fmt.Sprintf("it has the field %q twice", p.Name)
		case len(values) == 1 && !p.takes(values[0]):
			return fmt.Sprintf("its field %q is not valid", p.Name)
		}
	}
	return ""
}

// takes reads a parameter as its schema means it.
func (p Param) takes(value string) bool {
	var v any = value
	switch text(p.Schema["type"]) {
	case "integer", "number":
		v = json.Number(value)
		if _, err := strconv.ParseFloat(value, 64); err != nil {
			return false
		}
	case "boolean":
		b, err := strconv.ParseBool(value)
		if err != nil {
			return false
		}
		v = b
	case "array":
		var list []any
		for item := range strings.SplitSeq(value, ",") {
			list = append(list, item)
		}
		v = list
	}
	return p.valid.Validate(v) == nil
}

func invalidBody(o *Operation, r *Request) string {
	switch {
	case o.BodyType == "":
		return ""
	case len(r.Body) == 0 && o.BodyRequired:
		return "it has no body"
	case len(r.Body) == 0:
		return ""
	}
	types := r.header("Content-Type")
	if len(types) != 1 {
		return fmt.Sprintf("it has %d content types", len(types))
	}
	media, params, err := mime.ParseMediaType(types[0])
	if charset := params["charset"]; err != nil || media != o.BodyType || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return "its content type is another"
	}
	if len(r.header("Content-Encoding")) > 0 {
		return "its body is compressed"
	}
	var v any
	if media == "application/x-www-form-urlencoded" {
		v, err = readForm(string(r.Body))
	} else {
		v, err = readStrictly(r.Body)
	}
	if err != nil {
		return err.Error()
	}
	if err := o.body.Validate(v); err != nil {
		return "its body is not valid: " + oneLine(err)
	}
	return ""
}

func readForm(raw string) (any, error) {
	out := map[string]any{}
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, err1 := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		if _, twice := out[name]; twice || err1 != nil || err2 != nil || strings.Contains(pair, ";") || !clean(name) || !clean(value) {
			return nil, errors.New("its form is malformed")
		}
		out[name] = value
	}
	return out, nil
}

// readStrictly reads JSON token by token and refuses what two readers could understand differently.
func readStrictly(raw []byte) (any, error) {
	if !utf8.Valid(raw) {
		return nil, errors.New("its body is not UTF-8")
	}
	if err := checkEscapes(raw); err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := checkValue(d, 0); err != nil {
		return nil, fmt.Errorf("its body is not strict JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("its body has trailing data")
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("its body is not JSON: %w", err)
	}
	return v, nil
}

const deepestBody = 64

func checkValue(d *json.Decoder, depth int) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	if depth++; depth > deepestBody {
		return errors.New("it is too deep")
	}
	names := map[string]bool{}
	for d.More() {
		if delim == '{' {
			name, err := d.Token()
			if err != nil {
				return err
			}
			if names[name.(string)] { // a decoder's name is a string
				return fmt.Errorf("the member %q is there twice", name)
			}
			names[name.(string)] = true
		}
		if err := checkValue(d, depth); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// checkEscapes looks for NUL and for surrogates that come alone.
func checkEscapes(raw []byte) error {
	high := false // the escape before was the first half of a pair
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			if high {
				return errors.New("its body has a lone surrogate")
			}
			continue
		}
		i++
		if i >= len(raw) || raw[i] != 'u' || i+4 >= len(raw) {
			if high {
				return errors.New("its body has a lone surrogate")
			}
			continue
		}
		unit, err := strconv.ParseUint(string(raw[i+1:i+5]), 16, 16)
		i += 4
		low := unit >= 0xdc00 && unit <= 0xdfff
		switch {
		case err != nil:
			return nil // not JSON at all, which the decoder says
		case unit == 0:
			return errors.New("its body has a NUL")
		case low != high:
			return errors.New("its body has a lone surrogate")
		}
		high = unit >= 0xd800 && unit <= 0xdbff
	}
	return nil
}
