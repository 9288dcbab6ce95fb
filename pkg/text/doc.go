// Package text owns what written text from outside may be: a length that is bounded in bytes before anything is done with it, valid
// UTF-8, and characters that show what they are.
//
// Refused, never removed, are control characters, overrides, embeddings and isolates of the writing direction (U+202A to U+202E, U+2066
// to U+2069), with which a text reads differently than it is, other characters without a shape, and code points that mean nothing:
// unassigned, private, surrogates. The joiners ZWJ and ZWNJ stay: Persian and the scripts of India are misspelled without them, and
// families of emoji fall apart. So do the marks LRM, RLM and ALM, which only set the direction of what stands beside them, and the selectors
// of an emoji's form behind a symbol. Fillers, blanks without ink and other selectors are refused like all that has no shape.
package text
