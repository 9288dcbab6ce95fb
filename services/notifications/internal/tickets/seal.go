package tickets

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"fmt"

	"github.com/atrium-mesh/atrium/services/notifications/api"
)

// keyInfo makes the key of a ticket differ from whatever else could be derived from it (RFC 5869 section 3.2).
const keyInfo = "atrium notifications stream ticket 1"

// secret is a ticket itself, which is nowhere but at the client.
type secret api.Ticket

func newTicket() secret {
	var t secret
	_, _ = rand.Read(t[:]) // never fails
	return t
}

// hash is what the table knows the ticket by. It needs no salt: nobody guesses 256 bits.
func (t secret) hash() [sha256.Size]byte { return sha256.Sum256(t[:]) }

// seal encrypts a token with a key that follows from the ticket, and binds it to the ticket's row.
func (t secret) seal(token string) ([]byte, error) {
	aead, err := t.aead()
	if err != nil {
		return nil, err
	}
	hash := t.hash()
	return aead.Seal(nil, nil, []byte(token), hash[:]), nil //nolint:gosec // G407: NewGCMWithRandomNonce makes one for each
}

// open is the reverse of seal. It fails when the row was changed.
func (t secret) open(sealed []byte) (string, error) {
	aead, err := t.aead()
	if err != nil {
		return "", err
	}
	hash := t.hash()
	token, err := aead.Open(nil, nil, sealed, hash[:])
	if err != nil {
		return "", fmt.Errorf("open a sealed token: %w", err)
	}
	return string(token), nil
}

func (t secret) aead() (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, t[:], nil, keyInfo, 32)
	if err != nil {
		return nil, fmt.Errorf("derive a ticket's key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make a cipher: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("make a cipher: %w", err)
	}
	return aead, nil
}
