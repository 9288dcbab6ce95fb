package page

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/atrium-mesh/atrium/pkg/errs"
)

const (
	macSize        = 16 // 128 bits of HMAC-SHA256
	maxCursorBytes = 2048
	minKeyBytes    = 16
)

// Cursors signs and reads cursors. Every replica of a service needs the same key.
type Cursors struct{ key []byte }

// NewCursors makes cursors that are signed with key, of at least 16 bytes; a shorter one is a mistake of the program and panics.
func NewCursors(key []byte) *Cursors {
	if len(key) < minKeyBytes {
		panic("page: a cursor key needs at least 16 bytes")
	}
	return &Cursors{key: bytes.Clone(key)}
}

// Encode makes the cursor of a position: the keyset values of the last item, as a struct or a slice. Scope names the list with
// its sort and filters; a cursor is only good in the same scope. The position is signed, not encrypted.
func (c *Cursors) Encode(scope string, position any) (string, error) {
	body, err := json.Marshal(position)
	if err != nil {
		return "", fmt.Errorf("encode a cursor: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(append(c.mac(scope, body), body...)), nil
}

// Decode reads a cursor of Encode into position, a pointer. Anything else is errs.Malformed "invalid_cursor".
func (c *Cursors) Decode(scope, cursor string, position any) error {
	if len(cursor) > maxCursorBytes {
		return invalidCursor(nil)
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) <= macSize {
		return invalidCursor(err)
	}
	if !hmac.Equal(raw[:macSize], c.mac(scope, raw[macSize:])) {
		return invalidCursor(nil)
	}
	if err := json.Unmarshal(raw[macSize:], position); err != nil {
		return invalidCursor(err)
	}
	return nil
}

func (c *Cursors) mac(scope string, body []byte) []byte {
	h := hmac.New(sha256.New, c.key)
	_, _ = fmt.Fprintf(h, "cursor:%d:%s:", len(scope), scope)
	_, _ = h.Write(body)
	return h.Sum(nil)[:macSize]
}

func invalidCursor(cause error) error {
	return errs.New(errs.Malformed, "invalid_cursor", "The cursor is not one of this list's.").WithCause(cause).
		WithFields(errs.Field{Field: "query.cursor", Code: "invalid_cursor", Message: "must be the next_cursor of the page before"})
}
