package letter

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/person"
	"github.com/atrium-mesh/atrium/pkg/text"
)

// The bounds of a letter that comes from elsewhere. The longest of the mesh's own has 1,100 bytes.
const (
	maxBytes     = 16 << 10 // of everything in it
	maxLine      = 400      // characters
	maxParagraph = 2000     // characters
	maxParts     = 8        // paragraphs before the link, facts, paragraphs after it

	// maxProduct is how many characters the name of the product may have: the lines that name it must stay within their bounds.
	maxProduct = 100
)

// Check is for whoever lays out what somebody else wrote, who may mean harm. It is errs.Invalid, with a field of the letter, unless the
// letter is of a reasonable size, in a language that exists, and of lines without control characters and without what turns the direction
// of the letters round. Each paragraph is one line, too: no text can put itself where a link stands. A line may be blank: a program that
// calls itself nothing visible must not keep the warning about it from going out.
func (l Letter) Check(field string) error {
	if l.size() > maxBytes { // first: what follows looks at every character
		return errs.InvalidField(field, text.CodeTooLong, fmt.Sprintf("must have at most %d bytes", maxBytes))
	}
	if _, err := person.Locale(field+".locale", l.Locale); err != nil {
		return err
	}
	if len(l.Intro) > maxParts || len(l.Details) > maxParts || len(l.Outro) > maxParts {
		return errs.InvalidField(field, text.CodeTooLong, fmt.Sprintf("must have at most %d paragraphs or details", maxParts))
	}
	for name, line := range map[string]string{
		"subject": l.Subject, "greeting": l.Greeting, "action": l.Action, "link_help": l.LinkHelp, "other": l.Other, "why": l.Why,
		"unsubscribe": l.Unsubscribe,
	} {
		if err := checkLine(field+"."+name, line, maxLine); err != nil {
			return err
		}
	}
	for name, paragraphs := range map[string][]string{"intro": l.Intro, "outro": l.Outro} {
		for i, p := range paragraphs {
			if err := checkLine(fmt.Sprintf("%s.%s[%d]", field, name, i), p, maxParagraph); err != nil {
				return err
			}
		}
	}
	for i, d := range l.Details {
		label, value := fmt.Sprintf("%s.details[%d].label", field, i), fmt.Sprintf("%s.details[%d].value", field, i)
		if err := cmp.Or(checkLine(label, d.Label, maxLine), checkLine(value, d.Value, maxLine)); err != nil {
			return err
		}
	}
	return nil
}

func checkLine(field, line string, most int) error {
	switch {
	case utf8.RuneCountInString(line) > most:
		return errs.InvalidField(field, text.CodeTooLong, fmt.Sprintf("must have at most %d characters", most))
	case !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool { return !text.Printable(r) }):
		return errs.InvalidField(field, text.CodeFormat, "must be on one line, of characters that can be seen")
	default:
		return nil
	}
}

// size is how many bytes there are in it.
func (l Letter) size() int {
	n := len(l.Locale) + len(l.Subject) + len(l.Greeting) + len(l.Action) + len(l.LinkHelp) + len(l.Other) + len(l.Why) + len(l.Unsubscribe)
	for _, part := range [][]string{l.Intro, l.Outro} {
		for _, p := range part {
			n += len(p)
		}
	}
	for _, d := range l.Details {
		n += len(d.Label) + len(d.Value)
	}
	return n
}

// CheckProduct says what is wrong with the name of the product that a variable configures, or nil.
func CheckProduct(variable, name string) error {
	if checkLine(variable, name, maxProduct) != nil {
		return config.Problemf(variable, "must be on one line, of at most %d characters.", maxProduct)
	}
	return nil
}
