package person

import (
	"golang.org/x/text/language"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/text"
)

// MaxLocale is how many bytes a locale may have: RFC 5646 section 4.4.1 wants room for 35.
const MaxLocale = 35

// CodeUnknownLocale says that a locale is well formed, and that there is no such language, script or region.
const CodeUnknownLocale = "unknown_locale"

// Locale reads the language to write to a person in: a tag of BCP 47 whose subtags are registered, in its canonical form ("en-gb" is
// "en-GB", "iw" is "he"). Anything else is errs.Invalid on field.
func Locale(field, raw string) (string, error) {
	switch {
	case raw == "":
		return "", errs.InvalidField(field, text.CodeRequired, "must not be empty")
	case len(raw) > MaxLocale: // before it is parsed, which takes longer than the text is long
		return "", errs.InvalidField(field, text.CodeTooLong, "must have at most 35 characters")
	}
	tag, err := language.Parse(raw)
	if _, unknown := err.(language.ValueError); unknown { //nolint:errorlint // a value of x/text, not wrapped
		return "", errs.InvalidField(field, CodeUnknownLocale, "must be of a language, script and region that exist, such as en-GB")
	}
	base, script, region := tag.Raw()
	if err != nil || len(tag.String()) > MaxLocale || base == noBase && script == noScript && region == noRegion {
		return "", errs.InvalidField(field, text.CodeFormat, "must be a language tag of BCP 47, such as en-GB")
	}
	return tag.String(), nil
}

// What a tag is made of that names nothing: "und", "x-private".
var noBase, noScript, noRegion = language.Und.Raw()

// OptionalLocale is [Locale], and "" for "": nothing was said.
func OptionalLocale(field, raw string) (string, error) { return optional(field, raw, Locale) }
