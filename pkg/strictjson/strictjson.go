package strictjson

import (
	stdjson "encoding/json"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxDepth is how deep objects and arrays may stand in each other. The deepest body of an operation has six levels; a decoder that
// recurses, and everything behind it that does, is safe at this depth.
const MaxDepth = 64

var (
	// ErrDepth says that a document is deeper than [MaxDepth].
	ErrDepth = fmt.Errorf("JSON is nested more than %d levels deep", MaxDepth)
	// ErrNUL says that a string or a member name holds a NUL character.
	ErrNUL = errors.New("JSON holds a NUL character")
)

// Unmarshal reads one document into v, which must be a pointer, as the package's sentence says. Members that v has no field for are
// ignored; a schema refuses them where they must not be.
func Unmarshal(data []byte, v any) error { return unmarshal(data, v) }

// UnmarshalKnown is [Unmarshal] that refuses members that v has no field for: for configuration, where an unknown member is a typing
// mistake.
func UnmarshalKnown(data []byte, v any) error {
	return unmarshal(data, v, json.RejectUnknownMembers(true))
}

func unmarshal(data []byte, v any, more ...json.Options) error {
	if err := scan(data); err != nil {
		return err
	}
	return json.Unmarshal(data, v, json.JoinOptions(append(more, json.WithUnmarshalers(numbers))...))
}

// numbers keeps the digits of a number where nothing says which type it has.
var numbers = json.UnmarshalFromFunc(func(d *jsontext.Decoder, v *any) error {
	if d.PeekKind() != '0' {
		return errors.ErrUnsupported
	}
	raw, err := d.ReadValue()
	if err != nil {
		return err
	}
	*v = stdjson.Number(raw)
	return nil
})

// scan looks for what the decoder behind it allows and we do not: depth and NUL. It need not understand what is not JSON, since the
// decoder refuses that.
func scan(data []byte) error {
	depth := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '{', '[':
			if depth++; depth > MaxDepth {
				return ErrDepth
			}
		case '}', ']':
			depth--
		case '"':
			end, err := scanString(data, i+1)
			if err != nil {
				return err
			}
			i = end
		}
	}
	return nil
}

// scanString finds the quote that ends the string whose text begins at i.
func scanString(data []byte, i int) (int, error) {
	for ; i < len(data) && data[i] != '"'; i++ {
		if data[i] != '\\' {
			continue
		}
		if i++; i+4 < len(data) && string(data[i:i+5]) == "u0000" {
			return 0, ErrNUL
		}
	}
	return i, nil
}

// Marshal writes v so that [Unmarshal] reads it back: text that is not UTF-8 is an error, and an empty list is [], never null.
func Marshal(v any) ([]byte, error) { return json.Marshal(v) }
