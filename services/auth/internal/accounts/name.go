package accounts

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/atrium-mesh/atrium/pkg/errs"
)

const maxNameLength = 200

// ParseName reads what to call a person: 1 to 200 characters, on one line. Anything else is errs.Invalid on field.
func ParseName(field, raw string) (string, error) {
	name := norm.NFC.String(strings.TrimSpace(raw))
	switch {
	case name == "":
		return "", errs.InvalidField(field, "required", "must not be empty")
	case utf8.RuneCountInString(name) > maxNameLength:
		return "", errs.InvalidField(field, "too_long", "must have at most 200 characters")
	case strings.ContainsFunc(name, unicode.IsControl):
		return "", errs.InvalidField(field, "format", "must be on one line")
	default:
		return name, nil
	}
}
