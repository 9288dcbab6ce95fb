package preferences

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/notifications/api"
)

const (
	macSize   = 16 // 128 bits of HMAC-SHA256
	uuidSize  = 16
	tokenSalt = "unsubscribe:1:"
)

// Links makes and reads the unsubscribe links of mails. A token says whose e-mails of which category are to stop, and nothing else; it
// is signed, holds no secret, and never expires, as RFC 8058 wants of a link that may be years old.
type Links struct {
	key  []byte
	base string
}

// maxToken is more bytes than a token has: 128 bits, an id and the name of a category, in base64.
const maxToken = 128

// Link is what an unsubscribe link says.
type Link struct {
	Recipient uuid.UUID
	Category  api.Category
}

// NewLinks makes links that are signed with key and lead to the gateway at base, "https://app.example.com".
func NewLinks(key []byte, base string) *Links {
	return &Links{key: key, base: strings.TrimSuffix(base, "/")}
}

// URL is the link for a mail.
func (l *Links) URL(link Link) string {
	return l.base + api.Unsubscribe.Path + "?token=" + url.QueryEscape(l.token(link))
}

// Read checks a token. One that is not ours is errs.Malformed "invalid_unsubscribe_token".
func (l *Links) Read(token string) (Link, error) {
	if len(token) > maxToken {
		return Link{}, invalidToken(nil)
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) <= macSize+uuidSize {
		return Link{}, invalidToken(err)
	}
	mac, body := raw[:macSize], raw[macSize:]
	if !hmac.Equal(mac, l.mac(body)) {
		return Link{}, invalidToken(nil)
	}
	link := Link{Recipient: uuid.UUID(body[:uuidSize]), Category: api.Category(body[uuidSize:])}
	if info, ok := link.Category.Info(); !ok || info.Locked {
		return Link{}, invalidToken(nil)
	}
	return link, nil
}

func (l *Links) token(link Link) string {
	body := append(link.Recipient[:], link.Category...)
	return base64.RawURLEncoding.EncodeToString(append(l.mac(body), body...))
}

func (l *Links) mac(body []byte) []byte {
	h := hmac.New(sha256.New, l.key)
	_, _ = h.Write([]byte(tokenSalt))
	_, _ = h.Write(body)
	return h.Sum(nil)[:macSize]
}

func invalidToken(cause error) error {
	return errs.New(errs.Malformed, "invalid_unsubscribe_token", "This link is not complete; copy it once more from the e-mail.").WithCause(cause)
}
