package tokentest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
)

func newKey(t testing.TB, alg jose.SignatureAlgorithm) signingKey {
	t.Helper()
	var private crypto.Signer
	var err error
	switch alg {
	case jose.ES256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.ES384:
		private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case jose.RS256, jose.PS256:
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	case jose.EdDSA:
		_, private, err = ed25519.GenerateKey(rand.Reader)
	default:
		t.Fatalf("tokentest cannot sign with %s", alg)
	}
	require.NoError(t, err)
	return signingKey{id: TokenID(t, time.Now()), private: private}
}

// encode makes a compact JWS by hand, so that it can be as wrong as a test wants. It signs with what the header's alg says; none and
// algorithms that do not fit the key give a signature of zeros.
func encode(t testing.TB, header, payload map[string]any, key crypto.Signer) string {
	t.Helper()
	input := segment(t, header) + "." + segment(t, payload)
	alg, _ := header["alg"].(string)
	return input + "." + base64.RawURLEncoding.EncodeToString(signature(t, alg, key, []byte(input)))
}

func segment(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return base64.RawURLEncoding.EncodeToString(data)
}

func signature(t testing.TB, alg string, key crypto.Signer, input []byte) []byte {
	t.Helper()
	digest := sha256.Sum256(input)
	var sig []byte
	var err error
	switch jose.SignatureAlgorithm(alg) {
	case jose.ES256:
		return ecdsaSignature(t, key, digest[:], 32)
	case jose.ES384:
		wide := sha512.Sum384(input)
		return ecdsaSignature(t, key, wide[:], 48)
	case jose.RS256:
		sig, err = key.Sign(rand.Reader, digest[:], crypto.SHA256)
	case jose.PS256:
		sig, err = key.Sign(rand.Reader, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
	case jose.EdDSA:
		sig, err = key.Sign(rand.Reader, input, crypto.Hash(0))
	case jose.HS256:
		return hmacOfPublicKey(t, key, input)
	default:
		return make([]byte, 64)
	}
	require.NoError(t, err)
	return sig
}

func ecdsaSignature(t testing.TB, key crypto.Signer, digest []byte, size int) []byte {
	t.Helper()
	private, ok := key.(*ecdsa.PrivateKey)
	require.True(t, ok, "the key is not an ECDSA key")
	r, s, err := ecdsa.Sign(rand.Reader, private, digest)
	require.NoError(t, err)
	sig := make([]byte, 2*size)
	r.FillBytes(sig[:size])
	s.FillBytes(sig[size:])
	return sig
}

// hmacOfPublicKey is the classic confusion: a MAC whose secret is the public key, which everybody has.
func hmacOfPublicKey(t testing.TB, key crypto.Signer, input []byte) []byte {
	t.Helper()
	secret, err := x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	mac := hmac.New(sha256.New, secret)
	mac.Write(input)
	return mac.Sum(nil)
}
