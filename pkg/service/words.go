package service

import "strings"

// pairs are the letters that stand side by side most often in English: nine in ten of a text's pairs, and one in four of chance's.
const pairs = " th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi ri ro ic ne ea ra ce li ch " +
	"ll be ma si om ur ca el ta la ns di fo ho pe ec pr no ct us ac ot il tr ly nc et ut ss so rs un lo wa ge ie wh ee wi em ad ol rt po we " +
	"na ul ni ts mo ow pa im mi ai sh ir su id os iv ia am fi ci vi pl ig tu ev ld ry mp fe bl ab ty op wo sa ay ex ke fr oo av ag if ap " +
	"gr od bo sp rd do uc bu ei ov by rm ep tt oc fa ef cu rn sc gi da yo cr cl du ga qu ey kn my ys ks ws gh "

// follows reports whether c comes after before where words are written: as letters of English do, or with a space or its like on one side.
func follows(before, c byte) bool {
	before, c = plainLetter(before), plainLetter(c)
	if before == 0 || c == 0 {
		return false
	}
	return before == ' ' || c == ' ' || strings.Contains(pairs, string([]byte{' ', before, c, ' '}))
}

// plainLetter is a letter in lower case, also when it is written as a figure of its shape; ' ' for what parts words; 0 for all else.
func plainLetter(c byte) byte {
	const shapes, letters = "013457@$!", "oieastasi"
	switch i := strings.IndexByte(shapes, c); {
	case i >= 0:
		return letters[i]
	case capital(c):
		return c - 'A' + 'a'
	case c >= 'a' && c <= 'z':
		return c
	case c == ' ' || c == '-' || c == '_' || c == '.':
		return ' '
	default:
		return 0
	}
}

// keyboard are the rows of a keyboard, each of them half a key to the right of the one above.
var keyboard = [...]string{"1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./"}

// walks reports whether two different keys lie side by side.
func walks(before, c byte) bool {
	row, column := key(before)
	otherRow, otherColumn := key(c)
	if row < 0 || otherRow < 0 {
		return false
	}
	right := otherColumn - column
	switch otherRow - row {
	case 0:
		return absolute(right) == 1
	case 1: // down: to the left or straight
		return right == -1 || right == 0
	case -1:
		return right == 0 || right == 1
	default:
		return false
	}
}

// key is where a character is on the keyboard; row -1: nowhere.
func key(c byte) (row, column int) {
	const shifted, digits = "!@#$%^&*()", "1234567890"
	if i := strings.IndexByte(shifted, c); i >= 0 {
		c = digits[i]
	}
	if capital(c) {
		c = c - 'A' + 'a'
	}
	for row, keys := range keyboard {
		if column := strings.IndexByte(keys, c); column >= 0 {
			return row, column
		}
	}
	return -1, 0
}
