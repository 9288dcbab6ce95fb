package password

import (
	"slices"
	"strings"
	"unicode"
)

// layouts are the keyboards that most people sit at, row by row from the top. Each key stands between two of the row above.
var layouts = [...][]string{
	{"1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./"},
	{"1234567890ß´", "qwertzuiopü+", "asdfghjklöä#", "yxcvbnm,.-"},
	{"1234567890)=", "azertyuiop^$", "qsdfghjklmù*", "wxcvbn,;:!"},
}

// numeric is the block of digits at the side, which has one order from the top and one from the bottom.
var numeric = []string{"789", "456", "123", "0"}

// keyboard tells which characters stand beside each other.
type keyboard map[rune]string

func newKeyboard() keyboard {
	k := keyboard{}
	for _, rows := range layouts {
		k.add(rows, 1)
	}
	k.add(numeric, 0)
	return k
}

// add joins each key with its neighbours: of its own row, and of the row above those at its place and as many more to the right.
func (k keyboard) add(rows []string, more int) {
	for y, row := range rows {
		keys := []rune(row)
		for x, key := range keys {
			if x > 0 {
				k.join(key, keys[x-1])
			}
			if y == 0 {
				continue
			}
			above := []rune(rows[y-1])
			for i := x; i <= x+more && i < len(above); i++ {
				k.join(key, above[i])
			}
		}
	}
}

func (k keyboard) join(a, b rune) {
	k[a] += string(b)
	k[b] += string(a)
}

// follows reports whether a character is no surprise after another: the same, the next or previous letter or digit, or a neighbour on a
// keyboard.
func (k keyboard) follows(previous, r rune) bool {
	if d := r - previous; d >= -1 && d <= 1 {
		return true
	}
	return strings.ContainsRune(k[previous], r)
}

// surprises counts the characters of a text that do not follow from the one before, nor repeat the text so far. Walks over the keyboard
// ("qwertyuiop", "1q2w3e4r"), sequences and repetitions have few.
func (k keyboard) surprises(text string) int {
	count, previous := 0, rune(-2)
	for _, r := range period(text) {
		if !k.follows(previous, r) {
			count++
		}
		previous = r
	}
	return count
}

// steps counts the surprises of a text that steps evenly from one character to the next but one, as "a1b2c3d4" does: of its two halves.
func (k keyboard) steps(text string) int {
	var halves [2][]rune
	for i, r := range []rune(text) {
		halves[i%2] = append(halves[i%2], r)
	}
	return k.surprises(string(halves[0])) + k.surprises(string(halves[1]))
}

// date reports whether digits are a day of the last or this century, as it is written anywhere: 6 or 8 digits with the year at either end.
func date(digits string) bool {
	if len(digits) != 6 && len(digits) != 8 || strings.ContainsFunc(digits, func(r rune) bool { return !unicode.IsDigit(r) || r > '9' }) {
		return false
	}
	short := len(digits) - 4 // digits of the year
	first, last := digits[:short], digits[len(digits)-short:]
	return year(last) && monthDay(digits[:4]) || year(first) && monthDay(digits[short:])
}

func year(digits string) bool {
	return len(digits) == 2 || strings.HasPrefix(digits, "19") || strings.HasPrefix(digits, "20")
}

func monthDay(digits string) bool {
	a, b := digits[:2], digits[2:]
	return month(a) && day(b) || day(a) && month(b)
}

func month(digits string) bool { return digits >= "01" && digits <= "12" }
func day(digits string) bool   { return digits >= "01" && digits <= "31" }

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
