package password

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

const (
	saltBytes = 16
	keyBytes  = 32
)

var (
	errUnknownHash = errors.New("not a hash that is understood")
	phcEncoding    = base64.RawStdEncoding.Strict()
)

// params are what an argon2id hash costs.
type params struct {
	memoryKiB   uint32
	iterations  uint32
	parallelism uint8
}

func (c Config) params() params { return params{c.MemoryKiB, c.Iterations, c.Parallelism} }

// hash is a parsed PHC string: $argon2id$v=19$m=19456,t=2,p=1$salt$key.
type hash struct {
	params
	salt, key []byte
}

func newHash(p params, password string) (hash, error) {
	salt := make([]byte, saltBytes)
	if _, err := rand.Read(salt); err != nil {
		return hash{}, fmt.Errorf("make a salt: %w", err)
	}
	h := hash{params: p, salt: salt}
	h.key = h.derive(password, keyBytes)
	return h, nil
}

func (h hash) derive(password string, size uint32) []byte {
	return argon2.IDKey([]byte(password), h.salt, h.iterations, h.memoryKiB, h.parallelism, size)
}

func (h hash) matches(password string) bool {
	key := h.derive(password, uint32(len(h.key))) //nolint:gosec // at most 64
	return subtle.ConstantTimeCompare(key, h.key) == 1
}

func (h hash) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memoryKiB, h.iterations, h.parallelism,
		phcEncoding.EncodeToString(h.salt), phcEncoding.EncodeToString(h.key))
}

// parseHash reads a PHC string. Parameters beyond the bounds are refused before they cost anything.
func parseHash(encoded string) (hash, error) {
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return hash{}, errUnknownHash
	}
	var h hash
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memoryKiB, &h.iterations, &h.parallelism); err != nil || n != 3 {
		return hash{}, errUnknownHash
	}
	if h.memoryKiB < 8 || h.memoryKiB > mostMemoryKiB || h.iterations < 1 || h.iterations > mostIterations ||
		h.parallelism < 1 || h.parallelism > mostParallelism {
		return hash{}, fmt.Errorf("%w: its parameters are out of bounds", errUnknownHash)
	}
	var err1, err2 error
	h.salt, err1 = phcEncoding.DecodeString(parts[4])
	h.key, err2 = phcEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(h.salt) < 8 || len(h.salt) > 64 || len(h.key) < 16 || len(h.key) > 64 {
		return hash{}, errUnknownHash
	}
	return h, nil
}
