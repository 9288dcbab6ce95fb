package text

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/atrium-mesh/atrium/pkg/errs"
)

// The codes of what is wrong with a text. They are part of the contract.
const (
	CodeRequired = "required"
	CodeTooLong  = "too_long"
	CodeFormat   = "format"
)

// bytesPerCharacter is what the longest character takes in UTF-8. A text of more bytes than its characters may take is too long, whatever
// it says, and is not looked at.
const bytesPerCharacter = utf8.UTFMax

// Line is a text on one line, in NFC and without the white space around it. It is errs.Invalid on field when it is blank, has more than
// most characters, or one that no line has.
func Line(field, raw string, most int) (string, error) {
	return read(field, raw, most, "must be on one line, of characters that can be seen", Printable)
}

// Prose is a text that may have several lines and tabs, in NFC and without the white space around it. It is refused like a [Line].
func Prose(field, raw string, most int) (string, error) {
	return read(field, raw, most, "must be of characters that can be seen", func(r rune) bool {
		return r == '\n' || r == '\r' || r == '\t' || Printable(r)
	})
}

// Optional is read unless raw is empty, which stays empty: nothing was said.
func Optional(field, raw string, most int, read func(field, raw string, most int) (string, error)) (string, error) {
	if raw == "" {
		return "", nil
	}
	return read(field, raw, most)
}

func read(field, raw string, most int, format string, allowed func(rune) bool) (string, error) {
	if len(raw) > most*bytesPerCharacter {
		return "", tooLong(field, most)
	}
	if !utf8.ValidString(raw) {
		return "", errs.InvalidField(field, CodeFormat, "must be valid UTF-8")
	}
	clean := norm.NFC.String(strings.TrimSpace(raw))
	switch {
	case utf8.RuneCountInString(clean) > most:
		return "", tooLong(field, most)
	case strings.ContainsFunc(clean, func(r rune) bool { return !allowed(r) }):
		return "", errs.InvalidField(field, CodeFormat, format)
	case !strings.ContainsFunc(clean, Visible):
		return "", errs.InvalidField(field, CodeRequired, "must not be blank")
	case hidden(clean):
		return "", errs.InvalidField(field, CodeFormat, format)
	default:
		return clean, nil
	}
}

func tooLong(field string, most int) error {
	return errs.InvalidField(field, CodeTooLong, fmt.Sprintf("must have at most %d characters", most))
}

// The joiners, which tie letters together or keep them apart, and the marks of direction.
const (
	zwnj = '\u200c'
	zwj  = '\u200d'
	lrm  = '\u200e'
	rlm  = '\u200f'
	alm  = '\u061c'
)

// Joiner reports whether r is ZWJ or ZWNJ.
func Joiner(r rune) bool { return r == zwj || r == zwnj }

// Printable reports whether a line may hold r: letters, marks, numbers, punctuation, symbols, spaces, joiners and marks of direction.
func Printable(r rune) bool {
	return unicode.IsPrint(r) || unicode.Is(unicode.Zs, r) || Joiner(r) || r == lrm || r == rlm || r == alm
}

// Visible reports whether r leaves ink.
func Visible(r rune) bool {
	return unicode.IsGraphic(r) && !unicode.IsSpace(r) && !unicode.Is(unicode.Zs, r) && !Shapeless(r)
}

// Shapeless reports whether r is a letter, mark or symbol that never leaves ink: the fillers of Hangul, the combining grapheme joiner, the
// vowels of Khmer that are not written, all selectors of variants, the blank of Braille, the null notehead. A text with one reads as the
// text without it.
func Shapeless(r rune) bool {
	return r == '\u2800' || r == '\U0001d159' ||
		unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) || unicode.Is(unicode.Variation_Selector, r)
}

// The selectors of a text's and an emoji's form, and the key that digits are put on (1️⃣).
const (
	asText  = '\ufe0e'
	asEmoji = '\ufe0f'
	keycap  = '\u20e3'
)

// hidden reports whether a text has characters without a shape. The two selectors of emoji stay where keyboards write them, behind a symbol
// (❤️) and before a keycap: without them hearts turn black. Behind a letter they would make another name of the same look. The joiners and
// marks of direction are none of these: what of them is allowed is decided with the other characters.
func hidden(s string) bool {
	var before rune
	runes := []rune(s)
	for i, r := range runes {
		switch {
		case (r == asText || r == asEmoji) && (symbol(before) || i+1 < len(runes) && runes[i+1] == keycap):
		case Shapeless(r):
			return true
		}
		before = r
	}
	return false
}

// symbol reports whether r has a form as emoji: symbols, and the few of other kinds (‼ ⁉ ℹ 〰).
func symbol(r rune) bool {
	return unicode.IsSymbol(r) && !Shapeless(r) || strings.ContainsRune("‼⁉ℹ〰", r)
}

// Bounded is a text of at most so many bytes that a store can keep: the rest is cut off between characters, and what is not valid UTF-8
// or not [Printable] is left out. It is for what nobody typed and nobody answers for, such as the name that a program gives itself.
func Bounded(raw string, most int) string {
	if len(raw) > most {
		raw = raw[:most]
	}
	return strings.Map(func(r rune) rune {
		if Printable(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(raw, ""))
}
