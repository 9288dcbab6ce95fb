// Package words owns the list of words that people choose as passwords: known passwords, English words, first and family names.
//
// The list is words.txt.gz, sorted, lower case, one a line; `go generate` makes it of the frequency lists of
// github.com/ccojocar/zxcvbn-go (MIT, see LICENSE-zxcvbn).
package words

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"
)

//go:generate go run gen.go github.com/ccojocar/zxcvbn-go@v1.0.4

//go:embed words.txt.gz
var packed []byte

// List is a sorted list of words. It is read-only and takes about 1.5 MiB.
type List struct{ sorted []string }

// Load unpacks the list, which takes a few milliseconds.
func Load() (*List, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpack the common passwords: %w", err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("unpack the common passwords: %w", err)
	}
	sorted := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if !slices.IsSorted(sorted) {
		return nil, fmt.Errorf("the common passwords are not sorted")
	}
	return &List{sorted: slices.Clip(sorted)}, nil
}

// Has reports whether the list has the word, which must be in lower case.
func (l *List) Has(word string) bool {
	_, found := slices.BinarySearch(l.sorted, word)
	return found
}

// Len is how many words there are.
func (l *List) Len() int { return len(l.sorted) }
