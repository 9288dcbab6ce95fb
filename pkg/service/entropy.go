package service

import (
	"math"
	"unicode"
)

// leastEntropy is how many bits somebody has to guess, at least: what NIST SP 800-131A wants of a key.
const leastEntropy = 112

// fairlyMany is how many different hexadecimal digits random ones have, but for a few in a hundred thousand secrets of 32.
const fairlyMany = 8

// entropy is an estimate, from above, of how many bits a secret has. It knows no dictionary: it counts only the shortest text that
// repeats, no more for a character than the different ones allow, hardly anything for what goes on as it began (aaa, abc, 321), and a
// bit and a half for letters that make words, which are small ones that follow two others. Random bytes, base64 and hexadecimal
// digits lose next to nothing by that.
func entropy(secret []byte) float64 {
	secret = secret[:repeats(secret)]
	different := map[byte]bool{}
	hexadecimal := true
	for _, c := range secret {
		different[c] = true
		hexadecimal = hexadecimal && unicode.Is(unicode.ASCII_Hex_Digit, rune(c))
	}
	most := math.Log2(float64(max(len(different), 1)))
	if hexadecimal && len(different) >= fairlyMany {
		most = 4 // chance leaves some of the 16 digits out
	}
	bits := 0.0
	for i, c := range secret {
		switch {
		case i >= 2 && int(c)-int(secret[i-1]) == int(secret[i-1])-int(secret[i-2]) && absolute(int(c)-int(secret[i-1])) <= 1:
			bits += min(most, 0.5)
		case i >= 2 && !hexadecimal && wordly(c) && wordly(secret[i-1]) && (wordly(secret[i-2]) || capital(secret[i-2])):
			bits += min(most, 1.5)
		default:
			bits += most
		}
	}
	return bits
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

// wordly reports whether words are written with it: small letters, and what stands between them.
func wordly(c byte) bool { return c >= 'a' && c <= 'z' || c == ' ' || c == '-' || c == '_' || c == '.' }

func capital(c byte) bool { return c >= 'A' && c <= 'Z' }

func absolute(n int) int { return max(n, -n) }
