package person

import (
	"strings"
	"unicode"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/text"
)

// MaxName is how many characters a name may have.
const MaxName = 200

// Name reads what to call a person: 1 to 200 characters on one line, in NFC, without the white space around it. Anything else is
// errs.Invalid on field. Of the characters without a shape a name has only joiners: with the others it would read as another name.
func Name(field, raw string) (string, error) {
	name, err := text.Line(field, raw, MaxName)
	if err != nil {
		return "", err
	}
	if strings.ContainsFunc(name, func(r rune) bool { return unicode.Is(unicode.Cf, r) && !text.Joiner(r) }) {
		return "", errs.InvalidField(field, text.CodeFormat, "must be of characters that can be seen")
	}
	return name, nil
}

// OptionalName is [Name], and "" for "": nothing was said.
func OptionalName(field, raw string) (string, error) { return optional(field, raw, Name) }

func optional(field, raw string, read func(field, raw string) (string, error)) (string, error) {
	if raw == "" {
		return "", nil
	}
	return read(field, raw)
}
