package tokens

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"github.com/google/uuid"
)

const (
	secretBytes  = 32
	refreshBytes = len(uuid.UUID{}) + secretBytes
)

// Refresh is a refresh token with its secret. It must not be stored or logged.
type Refresh struct {
	ID  uuid.UUID
	raw [refreshBytes]byte
}

// Text is the token as a client holds it.
func (r Refresh) Text() string { return base64.RawURLEncoding.EncodeToString(r.raw[:]) }

// Hash is what is stored of the token. The secret has 256 bits, so that a plain hash is enough.
func (r Refresh) Hash() []byte {
	sum := sha256.Sum256(r.raw[:])
	return sum[:]
}

// String hides the token from fmt.
func (Refresh) String() string { return "[refresh token]" }

// ParseRefresh reads a token that a client presents; false when it cannot be one.
func ParseRefresh(text string) (r Refresh, ok bool) {
	if len(text) != base64.RawURLEncoding.EncodedLen(refreshBytes) { // before anything is decoded
		return Refresh{}, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != refreshBytes {
		return Refresh{}, false
	}
	copy(r.raw[:], raw)
	r.ID = uuid.UUID(raw[:len(r.ID)])
	return r, true
}

// Family makes refresh tokens.
type Family struct{ key []byte }

// NewFamily makes refresh tokens whose successors are derived with key, of 32 bytes.
func NewFamily(key []byte) Family { return Family{key: key} }

// First is the first token of a session.
func (Family) First() (Refresh, error) {
	var secret [secretBytes]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return Refresh{}, fmt.Errorf("make a refresh token: %w", err)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Refresh{}, fmt.Errorf("make a refresh token: %w", err)
	}
	return of(id, secret[:]), nil
}

// Successor is the one token that follows parent under this id: the same each time.
func (f Family) Successor(parent Refresh, id uuid.UUID) Refresh {
	mac := hmac.New(sha256.New, f.key)
	mac.Write(parent.raw[:])
	mac.Write(id[:])
	return of(id, mac.Sum(nil))
}

func of(id uuid.UUID, secret []byte) Refresh {
	r := Refresh{ID: id}
	copy(r.raw[copy(r.raw[:], id[:]):], secret)
	return r
}
