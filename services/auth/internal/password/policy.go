package password

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/internal/password/words"
)

// The bounds of a password, in characters (code points after normalization).
const (
	MinLength = 12
	MaxLength = 256
)

// The codes of what is wrong with a password. They are part of the contract.
const (
	CodeTooShort = "too_short"
	CodeTooLong  = "too_long"
	CodeCommon   = "password_common"
	CodePersonal = "password_personal"
)

// Policy says which passwords may be chosen. There are no rules of character classes, which make passwords worse (NIST SP 800-63B section
// 3.1.1.2): long enough, not one of those that are tried first, and nothing that everybody knows of the person. It is read-only and safe
// for concurrent use.
type Policy struct{ common *words.List }

// Person is what everybody knows of who chooses the password. Either may be empty.
type Person struct {
	Email    string
	FullName string
}

// NewPolicy makes a policy; it unpacks the list of common passwords.
func NewPolicy() (*Policy, error) {
	list, err := words.Load()
	if err != nil {
		return nil, err
	}
	return &Policy{common: list}, nil
}

// Check is nil when the person may choose the password, and otherwise errs.Invalid that names the field, such as "body.password", with one
// of the codes. It never repeats the password.
func (p *Policy) Check(field, password string, who Person) error {
	code, message := p.judge(password, who)
	if code == "" {
		return nil
	}
	return errs.InvalidField(field, code, message)
}

func (p *Policy) judge(password string, who Person) (code, message string) {
	password = norm.NFKC.String(password)
	switch n := utf8.RuneCountInString(password); {
	case n < MinLength:
		return CodeTooShort, fmt.Sprintf("must have at least %d characters", MinLength)
	case n > MaxLength || len(password) > MaxBytes:
		return CodeTooLong, fmt.Sprintf("must have at most %d characters", MaxLength)
	}
	folded := strings.ToLower(password)
	switch {
	case p.isPersonal(folded, who):
		return CodePersonal, "must not be made of your name or e-mail address"
	case p.isCommon(folded):
		return CodeCommon, "is among the passwords that are tried first; choose another, for example four unrelated words"
	default:
		return "", ""
	}
}

// isCommon reports whether a password in lower case is predictable, a word that is in the list, such a word repeated, or one with trivial
// additions ("Sunshine2024!").
func (p *Policy) isCommon(password string) bool {
	if surprises(password) < 5 || p.listed(password) {
		return true
	}
	before, core, after := split(password)
	return p.listed(core) && p.trivial(before) && p.trivial(after)
}

// listed reports whether a text is in the list, also with separators left out, with letters written as digits, or repeated.
func (p *Policy) listed(text string) bool {
	for _, form := range spellings(text) {
		if p.common.Has(form) || p.common.Has(period(form)) {
			return true
		}
	}
	return false
}

// trivial reports whether an addition before or after a word adds next to nothing: up to four digits, a year, a run, or a listed number.
func (p *Policy) trivial(addition string) bool {
	plain := alphanumeric(addition)
	return utf8.RuneCountInString(plain) <= 4 || surprises(plain) <= 2 || p.common.Has(plain)
}

// isPersonal reports whether a password in lower case contains the person's name or address and little else.
func (p *Policy) isPersonal(password string, who Person) bool {
	parts := who.parts()
	for _, form := range spellings(password) {
		rest := form
		for _, part := range parts {
			rest = strings.ReplaceAll(rest, part, "\x00")
		}
		if rest == form {
			continue
		}
		letters, all := strings.Map(onlyLetters, rest), alphanumeric(rest)
		if p.common.Has(letters) || surprises(letters) < 6 && surprises(all) < 9 {
			return true
		}
	}
	return false
}
