package password

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// split cuts a password into what stands before its first letter, the middle, and what stands after its last. A digit or sign in the
// middle stays there.
func split(password string) (before, core, after string) {
	first := strings.IndexFunc(password, unicode.IsLetter)
	if first < 0 {
		return "", password, ""
	}
	last := strings.LastIndexFunc(password, unicode.IsLetter)
	_, size := utf8.DecodeRuneInString(password[last:])
	return password[:first], password[first : last+size], password[last+size:]
}

// leet are the letters that a digit or a sign is written for. One stands for i or l, so there are two readings.
var leet = [...]*strings.Replacer{
	strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "8", "b", "9", "g", "@", "a", "$", "s", "!", "i", "+", "t"),
	strings.NewReplacer("0", "o", "1", "l", "3", "e", "4", "a", "5", "s", "7", "t", "8", "b", "6", "g", "@", "a", "$", "s", "!", "l", "|", "l"),
}

// spellings are the readings of a text in lower case: as it is, without separators and accents, and with digits read as letters.
func spellings(text string) []string {
	forms := []string{text, plain(text)}
	for _, l := range leet {
		forms = append(forms, plain(l.Replace(text)))
	}
	slices.Sort(forms)
	return slices.Compact(forms)
}

// plain is a text without accents and without anything but letters and digits: "josé-maría" is "josemaria".
func plain(text string) string { return alphanumeric(norm.NFD.String(text)) }

func alphanumeric(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, text)
}

func onlyLetters(r rune) rune {
	if unicode.IsLetter(r) {
		return r
	}
	return -1
}

const shortestPart = 3

// parts are the texts that are known of the person, in the spelling of plain, the longest first.
func (who Person) parts() []string {
	local, domain, _ := strings.Cut(bounded(who.Email), "@")
	name := bounded(who.FullName)
	return parts([]string{bounded(who.Email), local, domain, name}, local, domain, name)
}

// bounded is as much of a text as a person's name or address can have.
func bounded(s string) string { return s[:min(len(s), maxKnown)] }

const maxKnown = 1024 // bytes

// shortestLabel is how many letters a part of a context word has that counts by itself: "com" and "www" are everybody's.
const shortestLabel = 4

// contextParts are words and host names, and the longer parts of them.
func contextParts(texts []string) []string {
	all := parts(texts, texts...)
	whole := parts(texts)
	return slices.DeleteFunc(all, func(part string) bool {
		return utf8.RuneCountInString(part) < shortestLabel && !slices.Contains(whole, part)
	})
}

// parts are texts in the spelling of plain, and the words of others, the longest first.
func parts(texts []string, sentences ...string) []string {
	apart := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) }
	candidates := slices.Clone(texts)
	for _, s := range sentences {
		candidates = append(candidates, strings.FieldsFunc(s, apart)...)
	}
	var out []string
	for _, c := range candidates {
		c = plain(strings.ToLower(norm.NFKC.String(c)))
		// Digits at the end of a local part ("ada1815") are what the name is without them, too.
		for _, form := range []string{c, strings.TrimRight(c, "0123456789")} {
			if utf8.RuneCountInString(form) >= shortestPart {
				out = append(out, form)
			}
		}
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return slices.Compact(out)
}
