package keys

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// ErrUnsealed is what Reload says when SECRET_KEY is not the one that the keys were sealed with.
var ErrUnsealed = errors.New("a signing key cannot be opened: is SECRET_KEY still the same?")

const rsaBits = 2048

// generators are the algorithms there are.
var generators = map[jose.SignatureAlgorithm]func() (crypto.Signer, error){
	jose.ES256: func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) },
	jose.RS256: func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, rsaBits) },
}

// pair is a key that can sign, and how it is published.
type pair struct {
	private crypto.Signer
	public  jose.JSONWebKey
}

func newPair(algorithm jose.SignatureAlgorithm) (pair, error) {
	generate, known := generators[algorithm]
	if !known {
		return pair{}, fmt.Errorf("make a key: unknown algorithm %q", algorithm)
	}
	private, err := generate()
	if err != nil {
		return pair{}, fmt.Errorf("make a key: %w", err)
	}
	return pairOf(private, algorithm)
}

func pairOf(private crypto.Signer, algorithm jose.SignatureAlgorithm) (pair, error) {
	public := jose.JSONWebKey{Key: private.Public(), Algorithm: string(algorithm), Use: "sig"}
	thumbprint, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		return pair{}, fmt.Errorf("name a key: %w", err)
	}
	public.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	return pair{private: private, public: public}, nil
}

// box seals private keys.
type box struct{ aead cipher.AEAD }

func newBox(key []byte) (box, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return box{}, fmt.Errorf("key of the signing keys: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return box{}, fmt.Errorf("key of the signing keys: %w", err)
	}
	return box{aead: aead}, nil
}

// seal encrypts a private key; its id is bound to it, so that rows cannot be swapped.
func (b box) seal(p pair) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(p.private)
	if err != nil {
		return nil, fmt.Errorf("encode a private key: %w", err)
	}
	return b.aead.Seal(nil, nil, der, []byte(p.public.KeyID)), nil //nolint:gosec // the AEAD makes a random nonce of its own
}

func (b box) open(id string, algorithm jose.SignatureAlgorithm, sealed []byte) (pair, error) {
	der, err := b.aead.Open(nil, nil, sealed, []byte(id))
	if err != nil {
		return pair{}, fmt.Errorf("%w (key %s)", ErrUnsealed, id)
	}
	private, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return pair{}, fmt.Errorf("decode key %s: %w", id, err)
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return pair{}, fmt.Errorf("decode key %s: it cannot sign", id)
	}
	return pairOf(signer, algorithm)
}
