// Package address owns what an e-mail address is here: which ones are taken, and when two are the same.
package address

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/text"
)

// The longest address and local part, in bytes (RFC 5321 section 4.5.3.1, RFC 3696 erratum 1690).
const (
	MaxLength      = 254
	maxLocalLength = 64
)

// Address is an address that mail can be sent to.
type Address struct {
	Typed string // as the person wrote it, without spaces around
	Key   string // the same for everything that is the same address to us
}

// Parse reads an address. One that is none is errs.Invalid on field, without the address. So is one whose key is not its own key again,
// however it is capitalized: two keys for one address would be two accounts.
//
// Mail goes to what is compared, but for capitals: an address with letters that only the key takes for others (ſ and s, ı and i, ｗ and w,
// ﬁ and fi) is refused, since it is the mailbox of somebody else. Whoever has boſs@ must not keep the owner of boss@ out, nor get his mail.
func Parse(field, raw string) (Address, error) {
	raw = strings.TrimSpace(raw)
	if len(raw) > MaxLength { // NFC makes nothing of it an address that would have been too long without
		return Address{}, invalid(field)
	}
	a := Address{Typed: norm.NFC.String(raw), Key: keyOf(raw)}
	switch {
	case !valid(a.Typed):
		return Address{}, invalid(field)
	case !sameMailbox(a.Typed, a.Key):
		return Address{}, errs.InvalidField(field, "format", "must be an e-mail address in plain letters: none that stands for another, such as ſ or ｗ")
	case !valid(a.Key) || KeyOf(a.Key) != a.Key || KeyOf(strings.ToUpper(a.Key)) != a.Key || KeyOf(a.Typed) != a.Key:
		return Address{}, invalid(field)
	}
	return a, nil
}

func invalid(field string) error {
	return errs.InvalidField(field, "format", "must be an e-mail address")
}

// noAddress is the key of every text that is too long to be an address. No account has it, since there is no @ in it.
const noAddress = "(too long)"

// KeyOf is the form by which an address is looked up. Any text has one; all that are too long share one. That of an address which [Parse]
// refuses for its letters is the address as it stands, which is no account's key: nobody is found by what only looks like an address.
func KeyOf(raw string) string {
	key := keyOf(raw)
	if key == noAddress {
		return key
	}
	if typed := norm.NFC.String(strings.TrimSpace(raw)); !sameMailbox(typed, key) {
		return typed
	}
	return key
}

// keyOf is a text without spaces around, in NFKC, in one case, the domain in ASCII. NFKC and IDNA take longer than a text is long (60,000
// letters were 20 seconds), so that its length in bytes is looked at before each.
func keyOf(raw string) string {
	raw = strings.TrimSpace(raw)
	if len(raw) > MaxLength {
		return noAddress
	}
	folded := fold(norm.NFKC.String(raw))
	if len(folded) > MaxLength {
		return noAddress
	}
	local, domain, ok := cutLast(folded)
	if !ok {
		return folded
	}
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		domain = ascii
	}
	return local + "@" + domain
}

// sameMailbox reports whether what was typed, in NFC, differs from its key by capitals alone. A domain may be in Unicode or in ASCII.
func sameMailbox(typed, key string) bool {
	local, domain, ok := cutLast(typed)
	keyLocal, keyDomain, keyOK := cutLast(key)
	if !ok || !keyOK {
		return ok == keyOK
	}
	return small(capitals.Replace(local)) == keyLocal && sameDomain(small(domain), keyDomain)
}

// sameDomain compares label by label: each may be written in Unicode or in ASCII.
func sameDomain(typed, key string) bool {
	unicoded, err := idna.Lookup.ToUnicode(key)
	if err != nil {
		return typed == key
	}
	labels, ascii, wide := strings.Split(typed, "."), strings.Split(key, "."), strings.Split(unicoded, ".")
	if len(labels) != len(ascii) || len(labels) != len(wide) {
		return false
	}
	for i, label := range labels {
		if label != ascii[i] && label != wide[i] {
			return false
		}
	}
	return true
}

// capitals are pairs that Go's tables of single letters do not know: the capital of ß, and the σ at the end of a word. In a domain they are
// letters of their own (RFC 5894 section 4.3).
var capitals = strings.NewReplacer("ẞ", "ß", "ς", "σ")

// small is a text in lower case. A letter is left as it is when it is not the capital of the one that it becomes (İ).
func small(s string) string {
	return norm.NFC.String(strings.Map(func(r rune) rune {
		if lower := unicode.ToLower(r); unicode.ToUpper(lower) == r {
			return lower
		}
		return r
	}, s))
}

// fold is a text in lower case, of which the local part went through upper case as well: ς and σ, ſ and s, ı and i are one letter in
// capitals. In a domain they are not, where IDNA tells them apart. Lower case can take letters and their marks apart, so NFKC comes last.
func fold(s string) string {
	local, domain, ok := cutLast(s)
	if !ok {
		return norm.NFKC.String(strings.ToLower(s))
	}
	return norm.NFKC.String(strings.ToLower(strings.ToUpper(local)) + "@" + strings.ToLower(domain))
}

// iotaSubscript is the one mark that becomes a letter in capitals, and then stands elsewhere among the other marks.
const iotaSubscript = '\u0345'

func valid(s string) bool {
	local, domain, ok := cutLast(s)
	if !ok || len(s) > MaxLength || len(local) > maxLocalLength || !utf8.ValidString(s) || strings.ContainsAny(s, "\"<>(),:;\\[]") {
		return false
	}
	if strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r) || text.Shapeless(r) || r == iotaSubscript
	}) {
		return false
	}
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil || !plainDomain(ascii) {
		return false
	}
	parsed, err := mail.ParseAddress(s)
	return err == nil && parsed.Name == "" && parsed.Address == s
}

// plainDomain wants at least two labels, none of them empty or too long.
func plainDomain(domain string) bool {
	labels := strings.Split(domain, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return false
		}
	}
	return len(labels) > 1
}

func cutLast(s string) (local, domain string, ok bool) {
	i := strings.LastIndexByte(s, '@')
	if i < 1 || i == len(s)-1 {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}
