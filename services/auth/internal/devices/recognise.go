package devices

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/netip"
)

// How much of an address is its network: what a provider gives to one region, so that a new address of the same connection is no news.
const (
	networkBits4 = 20
	networkBits6 = 48
)

// Network is the network of a client's address, such as "203.0.112.0/20"; false when the address is not known, which is like no other.
func Network(clientIP string) (string, bool) {
	ip, err := netip.ParseAddr(clientIP)
	if err != nil {
		return "", false
	}
	ip = ip.Unmap().WithZone("")
	bits := networkBits6
	if ip.Is4() {
		bits = networkBits4
	}
	prefix, err := ip.Prefix(bits)
	return prefix.String(), err == nil
}

// Recogniser makes of what a sign-in shows what it is recognised by next time. Stored are keyed hashes: where somebody has been cannot be
// read in a backup.
type Recogniser struct{ key []byte }

// NewRecogniser makes one with a key of 32 bytes.
func NewRecogniser(key []byte) Recogniser { return Recogniser{key: key} }

// Place recognises a browser, by the name of its device, in a network; nil when the network is not known. Other people have the same
// browser: only with the network is it somebody's.
func (r Recogniser) Place(device, clientIP string) []byte {
	network, ok := Network(clientIP)
	if !ok {
		return nil
	}
	return r.hash("place", device, network)
}

// Cookie recognises a browser by the cookie that it was given, wherever it is; nil when it has none, or something else.
func (r Recogniser) Cookie(value string) []byte {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(value)
	if err != nil || len(raw) != cookieBytes {
		return nil
	}
	return r.hash("cookie", value)
}

func (r Recogniser) hash(parts ...string) []byte {
	mac := hmac.New(sha256.New, r.key)
	for _, part := range parts {
		mac.Write([]byte(part))
		mac.Write([]byte{0})
	}
	return mac.Sum(nil)
}

// cookieBytes of randomness cannot be guessed.
const cookieBytes = 16

// NewCookie is the value of a cookie for a browser that has none.
func NewCookie() (string, error) {
	var raw [cookieBytes]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return "", fmt.Errorf("make a device's cookie: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw[:]), nil
}
