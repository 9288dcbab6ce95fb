package service

import (
	"math"
	"strings"
	"unicode"
)

// leastEntropy is how many bits somebody has to guess, at least: what NIST SP 800-131A wants of a key.
const leastEntropy = 112

// fairlyMany is how many different hexadecimal digits random ones have, but for a few in a hundred thousand secrets of 32.
const fairlyMany = 8

// entropy is an estimate, from above, of how many bits a secret has. It knows no dictionary: it counts only the shortest text that
// repeats, no more for a character than the different ones allow, and less where nearly half of it goes on as the two characters before:
// in a row (aaa, abc, 321), over the keyboard (qwerty, 1qaz), or as letters do in words, in any case and with figures for letters
// (P4SSW0RD). Random bytes, base64, base32 and hexadecimal digits lose nothing by that.
func entropy(secret []byte) float64 {
	secret = secret[:repeats(secret)]
	most := mostBits(secret)
	words := !hexadecimal(secret, "-:") // so few letters make no words, and many pairs
	bits, less, expected := 0.0, 0.0, 0
	for i := range secret {
		cost := most
		switch {
		case i < 2:
		case inARow(secret[i-2 : i+1]), words && both(walks, secret[i-2:i+1]):
			cost = min(most, 0.5)
			expected++
		case words && both(follows, secret[i-2:i+1]):
			cost = min(most, 1.5)
			expected++
		}
		bits += most
		less += cost
	}
	if 20*expected < 9*len(secret) { // chance makes one in eight
		return bits
	}
	return less
}

func inARow(three []byte) bool {
	step := int(three[1]) - int(three[0])
	return int(three[2])-int(three[1]) == step && absolute(step) <= 1
}

func both(next func(before, c byte) bool, three []byte) bool {
	return next(three[0], three[1]) && next(three[1], three[2])
}

// mostBits is what one character has at most, by how many different ones there are.
func mostBits(secret []byte) float64 {
	different := map[byte]bool{}
	for _, c := range secret {
		different[c] = true
	}
	if hexadecimal(secret, "") && len(different) >= fairlyMany {
		return 4 // chance leaves some of the 16 digits out
	}
	return math.Log2(float64(max(len(different), 1)))
}

// hexadecimal reports whether there are only hexadecimal digits, and what may stand between groups of them.
func hexadecimal(secret []byte, between string) bool {
	for _, c := range secret {
		if !unicode.Is(unicode.ASCII_Hex_Digit, rune(c)) && !strings.ContainsRune(between, rune(c)) {
			return false
		}
	}
	return true
}

// repeats is the length of the shortest beginning of which the whole is a repetition, the last one possibly cut.
func repeats(secret []byte) int {
	for n := 1; n <= len(secret)/2; n++ {
		if string(secret[n:]) == string(secret[:len(secret)-n]) {
			return n
		}
	}
	return len(secret)
}

func capital(c byte) bool { return c >= 'A' && c <= 'Z' }

func absolute(n int) int { return max(n, -n) }
