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
	Typed string // as the person wrote it, without spaces around
	Key   string // the same for everything that is the same address to us
}

// Parse reads an address. One that is none is errs.Invalid on field, without the address.
func Parse(field, raw string) (Address, error) {
	a := Address{Typed: norm.NFC.String(strings.TrimSpace(raw)), Key: KeyOf(raw)}
	if !valid(a.Typed) || !valid(a.Key) {
		return Address{}, errs.InvalidField(field, "format", "must be an e-mail address")
	}
	return a, nil
}

// KeyOf is the form by which an address is looked up: without spaces around, NFKC, in lower case, the domain in ASCII. Any text has one.
func KeyOf(raw string) string {
	folded := strings.ToLower(norm.NFKC.String(strings.TrimSpace(raw)))
	local, domain, ok := cutLast(folded)
	if !ok {
		return folded
	}
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		domain = ascii
	}
	return local + "@" + domain
}

func valid(s string) bool {
	local, domain, ok := cutLast(s)
	if !ok || len(s) > MaxLength || len(local) > maxLocalLength || !utf8.ValidString(s) || strings.ContainsAny(s, "\"<>(),:;\\[]") {
		return false
	}
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) {
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
