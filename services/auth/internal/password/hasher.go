package password

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/text/unicode/norm"

	"github.com/atrium-mesh/atrium/pkg/errs"
)

// MaxBytes bounds a password before any work is done with it: 256 characters of four bytes each.
const MaxBytes = 1024

// normalize is a password as it is the same on every keyboard, in NFKC. It is false for one of more than MaxBytes, before or after: NFKC
// can make a text eleven times as long, which is given up as soon as it is too long.
func normalize(password string) (string, bool) {
	if len(password) > MaxBytes {
		return "", false
	}
	if norm.NFKC.IsNormalString(password) {
		return password, true
	}
	var it norm.Iter
	it.InitString(norm.NFKC, password)
	normal := make([]byte, 0, len(password))
	for !it.Done() {
		if normal = append(normal, it.Next()...); len(normal) > MaxBytes {
			return "", false
		}
	}
	return string(normal), true
}

// Result is what a verification found.
type Result struct {
	OK          bool // the password is right
	NeedsRehash bool // it is right, and its hash should be replaced by one of today's parameters
}

// Hasher hashes and verifies passwords, a bounded number at a time. It is safe for concurrent use.
type Hasher struct {
	params params
	wait   time.Duration
	slots  chan struct{} // one for each hash that is computed
	queue  chan struct{} // one for each request that is computed or waits
	dummy  hash          // what is verified for accounts that do not exist
}

// NewHasher makes a hasher. It computes one hash.
func NewHasher(c Config) (*Hasher, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Concurrency == 0 {
		c.Concurrency = runtime.GOMAXPROCS(0)
	}
	dummy, err := newHash(c.params(), "")
	if err != nil {
		return nil, err
	}
	return &Hasher{
		params: c.params(), wait: c.QueueWait, dummy: dummy,
		slots: make(chan struct{}, c.Concurrency), queue: make(chan struct{}, c.Concurrency+c.QueueLength),
	}, nil
}

// Hash is the PHC string of a password. It is errs.Unavailable "busy" when too many others wait.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	normal, ok := normalize(password)
	if !ok {
		return "", errs.New(errs.Invalid, "password_too_long", "The password is too long.")
	}
	release, err := h.acquire(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	made, err := newHash(h.params, normal)
	if err != nil {
		return "", err
	}
	return made.String(), nil
}

// Verify reports whether encoded is a hash of the password. With an empty encoded, of an account that does not exist or has no password,
// it works as long as for a wrong password. It is errs.Unavailable "busy" when too many others wait; an encoded that is not understood is
// an error.
func (h *Hasher) Verify(ctx context.Context, password, encoded string) (Result, error) {
	normal, ok := normalize(password)
	if !ok {
		password, encoded = "", "" // it cannot be right, and must not cost more
	}
	release, err := h.acquire(ctx)
	if err != nil {
		return Result{}, err
	}
	defer release()
	switch {
	case encoded == "":
		_ = h.dummy.matches(normal)
		return Result{}, nil
	case strings.HasPrefix(encoded, "$2"):
		return verifyBcrypt(password, encoded)
	default:
		return h.verifyArgon2(normal, encoded)
	}
}

func (h *Hasher) verifyArgon2(normal, encoded string) (Result, error) {
	stored, err := parseHash(encoded)
	if err != nil {
		return Result{}, fmt.Errorf("verify a password: %w", err)
	}
	if !stored.matches(normal) {
		return Result{}, nil
	}
	return Result{OK: true, NeedsRehash: stored.params != h.params || len(stored.key) != keyBytes || len(stored.salt) != saltBytes}, nil
}

// verifyBcrypt takes the password as it is: whoever made these hashes did not normalize. Beyond 72 bytes bcrypt ignores it.
func verifyBcrypt(password, encoded string) (Result, error) {
	err := bcrypt.CompareHashAndPassword([]byte(encoded), []byte(password))
	switch {
	case err == nil:
		return Result{OK: true, NeedsRehash: true}, nil
	case errors.Is(err, bcrypt.ErrMismatchedHashAndPassword):
		return Result{}, nil
	default:
		return Result{}, fmt.Errorf("verify a password: %w", errors.Join(errUnknownHash, err))
	}
}

// acquire waits for a slot. A request that finds the queue full, or has waited too long, is refused.
func (h *Hasher) acquire(ctx context.Context) (release func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case h.queue <- struct{}{}:
	default:
		return nil, busy()
	}
	timer := time.NewTimer(h.wait)
	defer timer.Stop()
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots; <-h.queue }, nil
	default:
	}
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots; <-h.queue }, nil
	case <-timer.C:
		err = busy()
	case <-ctx.Done():
		err = ctx.Err()
	}
	<-h.queue
	return nil, err
}

// busy asks to come again in one or two seconds, so that those who were refused together do not come together.
func busy() error {
	after := time.Second + time.Second*time.Duration(rand.N(2)) //nolint:gosec // jitter
	return errs.New(errs.Unavailable, "busy", "Too many people are signing in at this moment; try again in a second or two.").WithRetryAfter(after)
}
