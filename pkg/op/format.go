package op

import (
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

const (
	typeJSON = "application/json"
	typeForm = "application/x-www-form-urlencoded"
)

var (
	errNotUTF8 = errors.New("the body is not valid UTF-8")
	errNUL     = errors.New("the body holds a NUL character")
	errForm    = errors.New("the body is not a valid form")
)

// formats are the media types that are understood. JSON is strict: invalid UTF-8, which encoding/json would replace, and NUL, which
// PostgreSQL cannot store, are refused. The form is for OAuth 2.0's token endpoint (RFC 6749 section 4.3.2) and is accepted only by
// operations that declare it.
func formats() map[string]huma.Format {
	return map[string]huma.Format{
		typeJSON: {Marshal: writeJSON, Unmarshal: readJSON},
		"json":   {Marshal: writeJSON, Unmarshal: readJSON}, // application/problem+json and its like
		typeForm: {Marshal: writeJSON, Unmarshal: readForm},
	}
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func readJSON(data []byte, v any) error {
	if !utf8.Valid(data) {
		return errNotUTF8
	}
	if err := json.Unmarshal(data, v); err != nil {
		return err
	}
	if parsed, ok := v.(*any); ok && holdsNUL(*parsed) {
		return errNUL
	}
	return nil
}

func holdsNUL(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.ContainsRune(v, 0)
	case []any:
		return slices.ContainsFunc(v, holdsNUL)
	case map[string]any:
		for k, e := range v {
			if strings.ContainsRune(k, 0) || holdsNUL(e) {
				return true
			}
		}
	}
	return false
}

// readForm reads a form of single values as if it were a JSON object of strings.
func readForm(data []byte, v any) error {
	values, err := url.ParseQuery(string(data))
	if err != nil {
		return errForm
	}
	object := make(map[string]string, len(values))
	for k, vs := range values {
		if len(vs) != 1 {
			return errForm // a parameter must not be repeated (RFC 6749 section 3.2)
		}
		if !utf8.ValidString(k) || !utf8.ValidString(vs[0]) {
			return errNotUTF8
		}
		object[k] = vs[0]
	}
	b, err := json.Marshal(object)
	if err != nil {
		return err
	}
	return readJSON(b, v)
}
