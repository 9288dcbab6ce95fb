package service

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"

	"github.com/atrium-mesh/atrium/pkg/config"
)

const (
	secretSize  = 32 // least bytes of a SECRET_KEY
	derivedSize = 32
)

// Secret is a key that other keys are derived from. It is written in base64 (standard or URL alphabet), or as
// it is. It never shows in logs or in fmt's output.
type Secret struct {
	key  []byte
	bits float64 // how many somebody has to guess, at most
}

// UnmarshalText reads a secret. Text that is base64 of enough bytes is decoded; other text is the key itself.
func (s *Secret) UnmarshalText(text []byte) error {
	s.key, s.bits = append([]byte(nil), text...), entropy(text)
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if decoded, err := encoding.DecodeString(string(text)); err == nil && len(decoded) >= secretSize {
			s.key, s.bits = decoded, min(s.bits, entropy(decoded)) // words that happen to be base64 are words
			return nil
		}
	}
	return nil
}

// problem refuses a secret that is too short or that somebody may guess, as a problem of the variable. Whoever has it reads sealed keys,
// makes links and cursors, or takes a service's place.
func (s Secret) problem(variable string) error {
	const would = "This makes a good one: openssl rand -base64 32"
	switch {
	case len(s.key) < secretSize:
		return config.Problemf(variable, "must be at least %d bytes long. %s", secretSize, would)
	case s.bits < leastEntropy:
		return config.Problemf(variable, "can be guessed: it repeats itself or is made of words. %s", would)
	default:
		return nil
	}
}

// Derive returns the 32-byte key for one purpose: HKDF-SHA-256 (RFC 5869) with the label as info. Keys of
// different labels tell nothing about each other. A label must never change, nor be used for two purposes.
func (s Secret) Derive(label string) []byte {
	if len(s.key) < secretSize {
		panic("service: a key was derived from a secret that is missing or too short")
	}
	key, err := hkdf.Key(sha256.New, s.key, nil, "atrium "+label, derivedSize)
	if err != nil {
		panic("service: " + err.Error()) // only for lengths that are constants here
	}
	return key
}

// LogValue hides the secret from slog.
func (Secret) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// String hides the secret from fmt.
func (Secret) String() string { return "[redacted]" }

// GoString hides the secret from fmt's %#v.
func (Secret) GoString() string { return "[redacted]" }

// Given reports whether there is a secret.
func (s Secret) Given() bool { return len(s.key) > 0 }

// Problem is why the secret cannot be used, as a problem of the variable, or nil. It must not be one of the others.
func (s Secret) Problem(variable string, others ...Secret) error {
	if err := s.problem(variable); err != nil {
		return err
	}
	for _, other := range others {
		if bytes.Equal(s.key, other.key) {
			return config.Problemf(variable, "must not be the secret of another service.")
		}
	}
	return nil
}

// AssertionKey is the key that a service's assertions are signed with, made of the secret that it shares with auth.
func (s Secret) AssertionKey() []byte { return s.Derive("service assertion") }
