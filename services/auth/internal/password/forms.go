package password

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// runs are characters that follow each other on a keyboard, in rows and in columns. Codes that follow each other (abc, 123) are runs too.
var runs = [...]string{
	"1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./", "qwertzuiopü", "azertyuiop",
	"1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm", "8ik,", "9ol.", "0p;/",
}

// surprises counts the characters that do not follow from the one before: not the same, not the next or previous letter or digit, not a
// neighbour on the keyboard, and not a repetition of the text so far.
func surprises(text string) int {
	count, previous := 0, rune(-1)
	for _, r := range period(text) {
		if !follows(previous, r) {
			count++
		}
		previous = r
	}
	return count
}

func follows(previous, r rune) bool {
	if d := r - previous; d >= -1 && d <= 1 {
		return true
	}
	for _, run := range runs {
		i, j := strings.IndexRune(run, previous), strings.IndexRune(run, r)
		if i >= 0 && j >= 0 && (j-i == 1 || i-j == 1) {
			return true
		}
	}
	return false
}

// period is the shortest text of which the whole is a repetition, the last one possibly cut: "abcabca" is of "abc".
func period(text string) string {
	rs := []rune(text)
	for n := 1; n <= len(rs)/2; n++ {
		if slices.Equal(rs[n:], rs[:len(rs)-n]) {
			return string(rs[:n])
		}
	}
	return text
}

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
	fold := func(s string) string { return strings.ToLower(norm.NFKC.String(s)) }
	email, name := fold(who.Email), fold(who.FullName)
	local, domain, _ := strings.Cut(email, "@")
	apart := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) }
	candidates := []string{email, local, domain, name}
	for _, text := range []string{local, domain, name} {
		candidates = append(candidates, strings.FieldsFunc(text, apart)...)
	}
	var parts []string
	for _, c := range candidates {
		// Digits at the end of a local part ("ada1815") are what the name is without them, too.
		for _, form := range []string{plain(c), strings.TrimRight(plain(c), "0123456789")} {
			if utf8.RuneCountInString(form) >= shortestPart {
				parts = append(parts, form)
			}
		}
	}
	slices.SortFunc(parts, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return slices.Compact(parts)
}
