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
)

// The longest address and local part, in bytes (RFC 5321 section 4.5.3.1, RFC 3696 erratum 1690).
const (
	MaxLength      = 254
	maxLocalLength = 64
)

// Address is an address that mail can be sent to.
type Address struct {
	Typed string // where mail goes: as the person wrote it, without spaces around and with wide and otherwise dressed-up letters made plain (NFKC)
	Key   string // the same for everything that is the same address to us
}

// Parse reads an address. One that is none is errs.Invalid on field, without the address. So is one whose key is not its own key again,
// however it is capitalized: a few letters (İ) have no stable lower case, and two keys for one address would be two accounts.
//
// Mail goes to what is compared, but for capitals: ａｄａ@ and ada@ may be two people's mailboxes, and who has the one must not be taken for,
// nor keep out, who has the other. Letters that are one letter only to the key (ı and i) are refused for the same reason.
func Parse(field, raw string) (Address, error) {
	raw = strings.TrimSpace(raw)
	if len(raw) > MaxLength { // NFKC makes nothing of it an address that would have been too long without
		return Address{}, invalid(field)
	}
	a := Address{Typed: norm.NFKC.String(raw), Key: KeyOf(raw)}
	if !valid(a.Typed) || !valid(a.Key) || KeyOf(a.Key) != a.Key || KeyOf(strings.ToUpper(a.Key)) != a.Key || KeyOf(a.Typed) != a.Key {
		return Address{}, invalid(field)
	}
	if !sameMailbox(a) {
		return Address{}, invalid(field)
	}
	return a, nil
}

// sameMailbox reports whether mail goes to what is compared, but for capitals.
func sameMailbox(a Address) bool {
	typed, _, _ := cutLast(a.Typed)
	key, _, _ := cutLast(a.Key)
	return strings.EqualFold(typed, key) // the domains have one form in ASCII, or the key would be another
}

func invalid(field string) error {
	return errs.InvalidField(field, "format", "must be an e-mail address")
}

// noAddress is the key of every text that is too long to be an address. No account has it, since there is no @ in it.
const noAddress = "(too long)"

// KeyOf is the form by which an address is looked up: without spaces around, NFKC, in one case, the domain in ASCII. Any text has one; all
// that are too long share one. NFKC and IDNA take longer than a text is long (60,000 letters were 20 seconds), so that its length in bytes
// is looked at before each.
func KeyOf(raw string) string {
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
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) || r == iotaSubscript }) {
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
