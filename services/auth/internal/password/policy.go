package password

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/internal/password/leaked"
	"github.com/atrium-mesh/atrium/services/auth/internal/password/words"
)

// The bounds of a password, in characters (code points after normalization).
const (
	MinLength = leaked.MinLength
	MaxLength = 256
)

// The codes of what is wrong with a password. They are part of the contract.
const (
	CodeTooShort = "too_short"
	CodeTooLong  = "too_long"
	CodeCommon   = "password_common"
	CodePersonal = "password_personal"
	CodeContext  = "password_context"
	CodeBreached = "password_breached"
)

// Breaches knows passwords that came out in breaches. It has no error: one that cannot be asked knows nothing.
type Breaches interface {
	Known(ctx context.Context, password string) bool
}

// Policy says which passwords may be chosen. There are no rules of character classes, which make passwords worse (NIST SP 800-63B section
// 3.1.1.2): long enough, not one of those that are tried first, nothing that everybody knows of the person or of this site, and none that
// a breach brought to light (ASVS 5.0 6.2.4, 6.2.11, 6.2.12). It is read-only and safe for concurrent use.
type Policy struct {
	common   *words.List
	keyboard keyboard
	context  []string // see parts
	breaches Breaches
}

// PolicyConfig is what a policy knows of where it applies.
type PolicyConfig struct {
	Context  []string // words that everybody here thinks of: the product, the organization, the host
	Breaches Breaches // nil: nobody is asked
}

// Person is what everybody knows of who chooses the password. Either may be empty.
type Person struct {
	Email    string
	FullName string
}

// NewPolicy makes a policy; it unpacks the list of common words.
func NewPolicy(c PolicyConfig) (*Policy, error) {
	list, err := words.Load()
	if err != nil {
		return nil, err
	}
	return &Policy{common: list, keyboard: newKeyboard(), context: contextParts(c.Context), breaches: c.Breaches}, nil
}

// Choose is nil when the person, who may be known under several names, may choose the password; otherwise errs.Invalid that names the
// field, such as "body.password", with one of the codes. It never repeats the password. It may ask elsewhere, and takes as long as that:
// call it outside of any transaction.
func (p *Policy) Choose(ctx context.Context, field, password string, who ...Person) error {
	if err := p.Check(field, password, who...); err != nil {
		return err
	}
	if p.breaches == nil {
		return nil
	}
	if normal, _ := normalize(password); p.breaches.Known(ctx, normal) {
		return errs.InvalidField(field, CodeBreached, "is known from a breach of another site, and is tried first; choose another")
	}
	return nil
}

// Check is [Policy.Choose] without asking anybody.
func (p *Policy) Check(field, password string, who ...Person) error {
	code, message := p.judge(password, who)
	if code == "" {
		return nil
	}
	return errs.InvalidField(field, code, message)
}

func (p *Policy) judge(password string, who []Person) (code, message string) {
	password, ok := normalize(password)
	switch n := utf8.RuneCountInString(password); {
	case !ok || n > MaxLength:
		return CodeTooLong, fmt.Sprintf("must have at most %d characters", MaxLength)
	case n < MinLength:
		return CodeTooShort, fmt.Sprintf("must have at least %d characters", MinLength)
	}
	folded := strings.ToLower(password)
	forms := spellings(folded)
	for _, person := range who {
		if p.madeOf(forms, person.parts()) {
			return CodePersonal, "must not be made of your name or e-mail address"
		}
	}
	switch {
	case p.madeOf(forms, p.context):
		return CodeContext, "must not be made of the name of this site or product"
	case p.isCommon(folded, forms):
		return CodeCommon, "is among the passwords that are tried first; choose another, for example four unrelated words"
	default:
		return "", ""
	}
}

// The fewest characters of a password, and of what it repeats, that do not follow from the one before.
const (
	fewestSurprises = 6
	fewestRepeated  = 8
)

// isCommon reports whether a password in lower case is predictable, known from a breach, a word that is in the list, such a word
// repeated, or one with trivial additions ("Sunshine2024!", "elephant7elephant7").
func (p *Policy) isCommon(password string, forms []string) bool {
	repeated := period(password)
	surprises := p.keyboard.surprises(password)
	switch {
	case surprises < fewestSurprises, p.keyboard.steps(password) < fewestSurprises:
		return true
	case repeated != password && surprises < fewestRepeated:
		return true
	case p.decorated(password, forms):
		return true
	default:
		return repeated != password && p.decorated(repeated, spellings(repeated))
	}
}

// decorated reports whether a text, or its middle between trivial additions, is listed.
func (p *Policy) decorated(text string, forms []string) bool {
	if p.listed(forms) {
		return true
	}
	before, core, after := split(text)
	if p.trivial(before) && p.trivial(after) && p.listed(spellings(core)) {
		return true
	}
	for i := range min(len(before), mostLeet) + 1 { // a letter at the edge may be written as a digit: "5unshin3"
		for j := range min(len(after), mostLeet) + 1 {
			first, last := len(before)-i, j
			if i+j > 0 && p.trivial(before[:first]) && p.trivial(after[last:]) && p.isWord(spellings(before[first:]+core+after[:last])) {
				return true
			}
		}
	}
	return false
}

// mostLeet is how many digits at either edge of a word are read as letters.
const mostLeet = 2

// listed reports whether a text is in a list, also with separators left out, with letters written as digits, or repeated.
func (p *Policy) listed(forms []string) bool {
	return p.isWord(forms) || slices.ContainsFunc(forms, func(form string) bool {
		return utf8.RuneCountInString(form) >= leaked.MinLength && leaked.Has(form)
	})
}

func (p *Policy) isWord(forms []string) bool {
	return slices.ContainsFunc(forms, func(form string) bool { return p.common.Has(form) || p.common.Has(period(form)) })
}

// trivial reports whether an addition before or after a word adds next to nothing: up to four digits, a year or a date, a run, or a listed
// number.
func (p *Policy) trivial(addition string) bool {
	plain := alphanumeric(addition)
	return utf8.RuneCountInString(plain) <= 4 || date(plain) || p.keyboard.surprises(plain) <= 2 || p.common.Has(plain)
}

// madeOf reports whether a password, in its spellings, contains some of these parts and little else.
func (p *Policy) madeOf(forms, parts []string) bool {
	for _, form := range forms {
		rest := form
		for _, part := range parts {
			rest = strings.ReplaceAll(rest, part, "\x00")
		}
		if rest == form {
			continue
		}
		letters, all := strings.Map(onlyLetters, rest), alphanumeric(rest)
		switch {
		case p.common.Has(letters), p.keyboard.surprises(letters) < 6 && p.keyboard.surprises(all) < 9:
			return true
		case letters == "" && date(all):
			return true
		}
	}
	return false
}
