package op

import (
	"encoding/json"
	"errors"
	"io"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atrium-mesh/atrium/pkg/strictjson"
)

const (
	typeJSON = "application/json"
	typeForm = "application/x-www-form-urlencoded"
)

var (
	errForm     = errors.New("the body is not a valid form")
	errRepeated = errors.New("the form repeats a parameter")
)

// formats are the media types that are written and read. The form is for OAuth 2.0's token endpoint (RFC 6749 section 4.3.2) and is
// accepted only by operations that declare it. How a body is read is [reader]'s.
func formats() map[string]huma.Format {
	return map[string]huma.Format{
		typeJSON: {Marshal: writeJSON, Unmarshal: strictjson.Unmarshal},
		"json":   {Marshal: writeJSON, Unmarshal: strictjson.Unmarshal}, // application/problem+json and its like
		typeForm: {Marshal: writeJSON, Unmarshal: readForm},
	}
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
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
			return errRepeated // a parameter must not be repeated (RFC 6749 section 3.2)
		}
		object[k] = vs[0]
	}
	b, err := strictjson.Marshal(object) // encoding/json would replace what is not UTF-8
	if err != nil {
		return errForm
	}
	return strictjson.Unmarshal(b, v)
}
